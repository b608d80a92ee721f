"""Files as they are: encodings, text, workbooks, columnar and statistical formats, each into a table of cells."""
