"""The one error that a person who runs a study may see."""


class StudyError(Exception):
    """Bad input, told in three parts.

    Parameters
    ----------
    where
        The place: file, column, province or year, as exact as is known.
    rule
        The rule that the input breaks.
    remedy
        What the person does next.
    """

    def __init__(self, where: str, rule: str, remedy: str) -> None:
        super().__init__(where, rule, remedy)
        self.where = where
        self.rule = rule
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}\n  What to do: {self.remedy}"
