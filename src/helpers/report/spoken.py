"""What the command line says, read from the code that says it: the templates that its catalogue must translate.

A message is written where it is raised or printed, as an f-string; its template has a place for each value. A value
that is chosen between texts gives each of them as a message of its own; a text that stands in a variable, a constant
or another function is followed there.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

HELPERS = Path(__file__).parents[1]
# Function -> the arguments that a person reads, by place or name; None for every one.
ERROR = (0, 1, 2, "where", "rule", "remedy")
SAYS: dict[str, tuple[int | str, ...] | None] = {
    "StudyError": ERROR,
    "UndecidedError": ERROR,
    "UnknownLayoutError": ERROR,
    "RuleError": (0,),
    "ChainError": (0,),
    "ValueError": (0,),
    "ArgumentTypeError": (0,),
    "ConstructorError": (2,),
    "NotebookError": (5, "problem"),
    "error": (0,),
    "__init__": (0,),
    "Doubt": (1, 2, 3),
    "Judged": (3,),
    "Cause": (0, 1, 3),
    "Part": (0,),
    "read_as": (2, "remedy"),
    "Reference": (1,),
    "add_parser": ("help", "description"),
    "add_argument": ("help",),
    "add_subparsers": ("title",),
    "ArgumentParser": ("description",),
    "set_defaults": ("interrupted",),
    "input": (0,),
    "print": None,
    "tell": None,
}
WRITERS = {"sys.stdout.write", "sys.stderr.write", "self._stream.write"}
# Fields and variables that hold lines for a person.
TOLD = {"told", "epilog"}
# Calls that pass on the texts that they are given.
PASSES = {"few", "join", "filter", "list", "tuple", "sorted", "str", "fromkeys", "dict", "enumerate", "items"}
# Modules whose words are those of tables and pictures.
SHOWN = {"shown", "tables", "pictures", "prose"}
# Folders whose own errors of value reach a person: the study file's and the claims' rules.
CHECKED = {"study", "claims"}
# Dictionaries and functions whose words reach a person through a field.
FIELDS = ("RULES", "DISK_ERRORS", "__str__", "describe", "headline")
# What the parser of arguments says by itself.
PARSER = (
    "usage:",
    "options",
    "positional arguments",
    "show this help message and exit",
    "{program}: error: {message}",
    "argument {name}: {message}",
    "the following arguments are required: {names}",
    "unrecognized arguments: {names}",
    "invalid choice: {value} (choose from {choices})",
    "invalid {type} value: {value}",
    "expected one argument",
    "expected at least one argument",
    "ambiguous option: {option} could match {names}",
    "ignored explicit argument {value}",
)
# What the reader of the study file says by itself.
VALIDATOR = (
    "Field required",
    "Input should be a valid string",
    "Input should be a valid integer",
    "Input should be a valid number",
    "Input should be a valid boolean",
    "Input should be a valid list",
    "Input should be a valid tuple",
    "Input should be a valid dictionary",
    "Input should be a valid dictionary or instance of {name}",
    "Input should be a finite number",
    "Input should be {choices}",
    "Input should be greater than {bound}",
    "Input should be greater than or equal to {bound}",
    "Input should be less than {bound}",
    "Input should be less than or equal to {bound}",
    "Input should be a valid number, unable to parse string as a number",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid integer, got a number with a fractional part",
    "Input should be a valid boolean, unable to interpret input",
    "String should have at least {n} character",
    "String should have at least {n} characters",
    "String should match pattern {pattern}",
    "Tuple should have at least {n} item after validation, not {found}",
    "Tuple should have at least {n} items after validation, not {found}",
    "Tuple should have at most {n} items after validation, not {found}",
    "Dictionary should have at least {n} item after validation, not {found}",
    "Dictionary should have at least {n} items after validation, not {found}",
)
# What the readers of YAML and CSV and the system say by themselves.
READERS = (
    "mapping values are not allowed in this context",
    "block sequence entries are not allowed in this context",
    "could not find expected ':'",
    "did not find expected key",
    "did not find expected node content",
    "did not find expected '-' indicator",
    "did not find expected ',' or ']'",
    "did not find expected ',' or '}}'",
    "did not find expected <document start>",
    "found character that cannot start any token",
    "found undefined alias",
    "found unexpected end of stream",
    "found unknown escape character",
    "found unhashable key",
    "found a tab character that violates indentation",
    "found a tab character where an indentation space is expected",
    "but found another document",
    "control characters are not allowed",
    "could not determine a constructor for the tag {tag}",
    "unexpected end of data",
    "{sign} expected after {other}",
    "line contains NUL",
    "field larger than field limit ({limit})",
    "Error tokenizing data. C error: Expected {count} fields in line {line}, saw {found}",
    "No space left on device",
    "Permission denied",
    "Read-only file system",
    "Is a directory",
    "Not a directory",
    "No such file or directory",
    "File exists",
    "File name too long",
    "File too large",
    "Disk quota exceeded",
    "Too many open files",
)
# What is put together from a kind and a name, or said otherwise by the command that passes it on.
PARTS = (
    *(f"{kind} {{name}}" for kind in ("raw file", "statistic", "derived column", "index", "helper module")),
    *(f"{kind} {{name}}" for kind in ("parameter", "package")),
    *(f"{change}: {{names}}" for change in ("changed", "missing", "not listed")),
    "{keys} of {names} names known from the study {name}: they take its codes, and its groups where these have members "
    "enough",
    'if the figures are as published, say --genuine "{names}"',
)
# Words that reach a person through a field: kinds of numbers, answers, verdicts, factors, kinds of parts.
WORDS_OF_FIELDS = (
    *("reproduced", "differs", "cannot say", "right", "another number", "missing"),
    *("count", "rank", "verdict", "printed figure", "estimate", "spread", "statistic", "p-value"),
    *("p-value in a table", "figure in a table", "order of rows", "no named notebook"),
    *("code", "data", "study file", "parameter", "lock", "machine"),
)
MOST_BRANCHES = 24
WORDS = re.compile(r"(?<![\w./-])[A-Za-z][a-z'-]+(?![\w/]|\.\w)")
DATA = re.compile(r"`[^`]*`|\{\{|\}\}|\{[^{}]*\}")

Places = tuple["str | tuple[str, str]", ...]
"""Pieces of one text: words, or (name, expression) of a value."""


@dataclass
class Module:
    """One module of helpers: its functions, constants and imports by name."""

    name: str
    tree: ast.Module
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)


Site = tuple[Module, ast.AST, "ast.FunctionDef | None"]
"""A statement or call, with its module and its function."""


def read_modules(folder: Path = HELPERS) -> dict[str, Module]:
    """Every module of helpers, parsed, by its dotted name."""
    found: dict[str, Module] = {}
    for path in sorted(folder.rglob("*.py")):
        name = ".".join((folder.name, *path.relative_to(folder).with_suffix("").parts))
        module = Module(name, ast.parse(path.read_text(encoding="utf-8")))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef):
                module.functions.setdefault(node.name, node)
            elif isinstance(node, ast.ImportFrom) and node.module:
                module.imports |= {item.asname or item.name: (node.module, item.name) for item in node.names}
        for statement in module.tree.body:
            module.constants |= {name: value for name, value in _assigned(statement) if value is not None}
        found[name] = module
    return found


def _sites(module: Module) -> Iterator[Site]:
    """Every call and assignment of a module, with the function that it stands in."""
    waiting: list[tuple[ast.AST, ast.FunctionDef | None]] = [(module.tree, None)]
    while waiting:
        node, inside = waiting.pop()
        inside = node if isinstance(node, ast.FunctionDef) else inside
        if isinstance(node, ast.Call | ast.Assign | ast.AnnAssign | ast.AugAssign):
            yield module, node, inside
        waiting.extend((child, inside) for child in ast.iter_child_nodes(node))


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Names that a statement gives a value, with the value."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            pairs: Iterable[tuple[ast.expr, ast.expr]] = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=False)
            yield from ((name, value) for item, value in pairs for name in _names(item))
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        yield _name(node.target), node.value


def _names(target: ast.AST) -> list[str]:
    """The variables of a target, one or several side by side."""
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    return [name for part in parts for name in (_names(part) if isinstance(part, ast.Tuple) else [_name(part)])]


def _name(node: ast.AST) -> str:
    """The last name of a variable, an attribute, or what is called or taken from it."""
    if isinstance(node, ast.Subscript | ast.Starred):
        return _name(node.value)
    if isinstance(node, ast.Call):
        return _name(node.args[0]) if node.args and _name(node.args[0]) else _name(node.func)
    if isinstance(node, ast.BinOp):
        return _name(node.left) or _name(node.right)
    return getattr(node, "id", "") or getattr(node, "attr", "")


@dataclass
class Listener:
    """Collects templates: follows each text that is said to where it is written.

    Attributes
    ----------
    modules
        Every module by its dotted name.
    found
        Template -> the module where it stands first.
    """

    modules: dict[str, Module]
    found: dict[str, str] = field(default_factory=dict)
    _seen: set[tuple[int, bool]] = field(default_factory=set)
    _says: dict[tuple[str, str], dict[str, bool]] = field(default_factory=dict)
    _nodes: dict[int, list[ast.AST]] = field(default_factory=dict)

    def listen(self) -> dict[str, str]:
        """Every template of every module."""
        self._speak_fields()
        sites = [site for module in self.modules.values() for site in _sites(module)]
        before = -1
        while before != len(self._seen):  # until no further function turns out to say its argument
            before = len(self._seen)
            for module, node, inside in sites:
                if isinstance(node, ast.Call):
                    for value, within in self._said(node, module):
                        self.speak(value, module, inside, within)
                elif module.name.split(".")[-1] not in SHOWN:
                    for name, given in _assigned(node):
                        if name in TOLD and given is not None:
                            self.speak(given, module, inside)
        return {text: self.found[text] for text in self.found if has_words(text)}

    def _speak_fields(self) -> None:
        given = {"argparse": PARSER, "pydantic": VALIDATOR, "yaml": READERS, "helpers": (*PARTS, *WORDS_OF_FIELDS)}
        for name, texts in given.items():
            self.found |= dict.fromkeys(texts, name)
        for module in self.modules.values():
            for name in FIELDS:
                if name in module.constants:
                    self.speak(module.constants[name], module)
                if name in module.functions:
                    for part in self._walk(module.functions[name]):
                        if isinstance(part, ast.Return) and part.value is not None:
                            self.speak(part.value, module, module.functions[name])

    def _said(self, call: ast.Call, module: Module) -> Iterator[tuple[ast.expr, bool]]:
        """The arguments of a call that a person reads, each with whether it is read within another text."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        yield from ((item.value, False) for item in call.keywords if item.arg in TOLD)
        if name in ("append", "extend") and isinstance(call.func, ast.Attribute) and _name(call.func.value) in TOLD:
            yield from ((value, False) for value in call.args)
        every = (name in SAYS and SAYS[name] is None) or (name == "write" and ast.unparse(call.func) in WRITERS)
        places: dict[int | str, bool] = {}
        if name in SAYS and (name != "ValueError" or module.name.split(".")[1] in CHECKED):
            places = dict.fromkeys(SAYS[name] or (), False)
        elif (found := self._function(call.func, module)) is not None:
            where, function = found
            named = self._says.get((where.name, function.name), {})
            first = [item.arg for item in function.args.args if item.arg not in ("self", "cls")]
            places.update((item, within) for item, within in named.items())
            places.update((number, named[item]) for number, item in enumerate(first) if item in named)
        for number, value in enumerate(call.args):
            if every or number in places:
                yield value, places.get(number, False)
        yield from ((item.value, places[item.arg]) for item in call.keywords if item.arg in places)

    def _function(self, node: ast.expr, module: Module) -> tuple[Module, ast.FunctionDef] | None:
        """A function of helpers, by what is called."""
        if isinstance(node, ast.Attribute):
            base = node.value.id if isinstance(node.value, ast.Name) else ""
            if base in ("self", "cls") and node.attr in module.functions:
                return module, module.functions[node.attr]
            other = self.modules.get(".".join(module.imports.get(base, ())))
            return (other, other.functions[node.attr]) if other and node.attr in other.functions else None
        name = getattr(node, "id", "")
        if name in module.imports:
            where, real = module.imports[name]
            other = self.modules.get(where)
            return (other, other.functions[real]) if other and real in other.functions else None
        return (module, module.functions[name]) if name in module.functions else None

    def speak(
        self, node: ast.expr, module: Module, inside: ast.FunctionDef | None = None, within: bool = False
    ) -> None:
        """Collect the templates of an expression that a person reads; within another text only those of two words."""
        if (id(node), within) in self._seen:
            return
        self._seen.add((id(node), within))
        if isinstance(node, ast.Constant | ast.JoinedStr) or _is_sum(node):
            for pieces in self._pieces(node, module, inside):
                text = template(pieces)
                if not within or " " in text:
                    self.found.setdefault(text, module.name)
        elif isinstance(node, ast.Name):
            self._speak_name(node.id, module, inside, within)
        elif isinstance(node, ast.Call):
            self._speak_call(node, module, inside, within)
        elif isinstance(node, ast.Subscript):
            self.speak(node.value, module, inside, within)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            other = self.modules.get(".".join(module.imports.get(node.value.id, ())))
            if other and node.attr in other.constants:
                self.speak(other.constants[node.attr], other, None, within)
        elif isinstance(node, ast.BoolOp):
            for part in node.values:
                self.speak(part, module, inside, within and not isinstance(part, ast.Constant))
        else:
            for part in _alternatives(node):
                self.speak(part, module, inside, within)

    def _walk(self, function: ast.FunctionDef) -> list[ast.AST]:
        if id(function) not in self._nodes:
            self._nodes[id(function)] = list(ast.walk(function))
        return self._nodes[id(function)]

    def _speak_name(self, name: str, module: Module, inside: ast.FunctionDef | None, within: bool) -> None:
        """A variable: what it is given in this function, what it is called with, or the module's constant."""
        if inside is not None:
            given = [value for node in self._walk(inside) for to, value in _assigned(node) if to == name and value]
            given += [value for node in self._walk(inside) for value in _added(node, name)]
            for value in given:
                self.speak(value, module, inside, within)
            if any(item.arg == name for item in (*inside.args.args, *inside.args.kwonlyargs)):
                says = self._says.setdefault((module.name, inside.name), {})
                says[name] = says.get(name, True) and within
                return
            if given:
                return
        where, real = module.imports.get(name, (module.name, name))
        other = self.modules.get(where)
        if other and real in other.constants:
            self.speak(other.constants[real], other, None, within)

    def _speak_call(self, node: ast.Call, module: Module, inside: ast.FunctionDef | None, within: bool) -> None:
        """A call: what the function returns, or the texts that it puts together."""
        found = self._function(node.func, module)
        if found is not None:
            where, function = found
            for part in self._walk(function):
                if isinstance(part, ast.Return | ast.Yield | ast.YieldFrom) and part.value is not None:
                    self.speak(part.value, where, function, within)
        if isinstance(node.func, ast.Attribute):
            self.speak(node.func.value, module, inside, within)
        name = _name(node.func)
        if name in PASSES:
            for value in node.args:
                self.speak(value, module, inside, within)

    def _pieces(self, node: ast.expr, module: Module, inside: ast.FunctionDef | None) -> list[Places]:
        """Every text that an expression may be, in pieces; a variable that is one of two texts is one of them."""
        if isinstance(node, ast.Name) and (chosen := self._choice(node.id, inside)) is not None:
            return self._pieces(chosen, module, inside)
        if isinstance(node, ast.Constant):
            return [(node.value,)] if isinstance(node.value, str) else []
        if isinstance(node, ast.IfExp):
            return [*self._pieces(node.body, module, inside), *self._pieces(node.orelse, module, inside)]
        if isinstance(node, ast.BinOp) and _is_sum(node):
            both = (self._pieces(part, module, inside) for part in (node.left, node.right))
            return [left + right for left, right in itertools.product(*both)]
        if isinstance(node, ast.JoinedStr):
            parts = [self._part(part, module, inside) for part in node.values]
            return [tuple(itertools.chain(*choice)) for choice in itertools.product(*parts)]
        self.speak(node, module, inside, within=True)
        return [((_name(node) or "value", ast.unparse(node)),)]

    def _choice(self, name: str, inside: ast.FunctionDef | None) -> ast.IfExp | None:
        """What a variable is given, where it is given once: one of two texts."""
        given = [value for node in self._walk(inside) for to, value in _assigned(node) if to == name] if inside else []
        texts = (ast.Constant, ast.JoinedStr)
        if len(given) == 1 and isinstance(given[0], ast.IfExp):
            return given[0] if all(isinstance(part, texts) for part in (given[0].body, given[0].orelse)) else None
        return None

    def _part(self, part: ast.expr, module: Module, inside: ast.FunctionDef | None) -> list[Places]:
        """Every text that a piece of an f-string may be: each branch of a choice between texts, or the place."""
        if not isinstance(part, ast.FormattedValue):
            return self._pieces(part, module, inside)
        chosen = self._choice(part.value.id, inside) if isinstance(part.value, ast.Name) else part.value
        if part.conversion == -1 and part.format_spec is None and isinstance(chosen, ast.IfExp):
            branches = self._pieces(chosen, module, inside)
            if len(branches) <= MOST_BRANCHES:
                return branches
        if part.conversion == -1:
            self.speak(part.value, module, inside, within=True)
        return [((_name(part.value) or "value", ast.unparse(part.value)),)]


def _added(node: ast.AST, name: str) -> Iterator[ast.expr]:
    """What a statement adds to a list, and what a loop takes from one."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in ("append", "extend") and _name(node.func.value) == name:
            yield from node.args
    elif isinstance(node, ast.For | ast.comprehension) and name in _names(node.target):
        yield node.iter


def _is_sum(node: ast.expr) -> bool:
    """Whether texts are put together."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)


def _alternatives(node: ast.expr) -> Iterable[ast.expr]:
    """The expressions that make up another: branches, elements, what is repeated."""
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [node.left, node.right]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp):
        return [node.elt]
    if isinstance(node, ast.Starred | ast.NamedExpr):
        return [node.value]
    return []


def template(pieces: Places) -> str:
    """Pieces as one message, with a name in braces for each value; two different values have different names."""
    names: dict[str, str] = {}
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece.replace("{", "{{").replace("}", "}}")
            continue
        name, source = piece
        if source not in names:
            taken = set(names.values())
            numbered = (f"{name}_{number}" for number in itertools.count(2))
            names[source] = name if name not in taken else next(item for item in numbered if item not in taken)
        text += f"{{{names[source]}}}"
    return re.sub(r"^[;,] ", "", text.strip()).removesuffix(";")


def has_words(text: str) -> bool:
    """Whether a template holds words outside its places, code and names of files."""
    return bool(WORDS.search(DATA.sub(" ", text))) and text[:1] not in "<#|"


def command_messages(folder: Path = HELPERS) -> dict[str, str]:
    """Every message of the command line -> the module where it stands first."""
    return Listener(read_modules(folder)).listen()
