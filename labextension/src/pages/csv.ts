/** Rows and columns of a file shown in a preview. */
export const PREVIEW_ROWS = 50;
export const PREVIEW_COLUMNS = 40;

/** The first rows of separated values, quotes honoured, and whether there are more. */
export function readCsv(
  text: string,
  separator: string,
  maxRows = PREVIEW_ROWS
): { rows: string[][]; isCut: boolean } {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (isQuoted) {
      if (letter !== '"') {
        cell += letter;
      } else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else {
        isQuoted = false;
      }
    } else if (letter === '"' && cell === '') {
      isQuoted = true;
    } else if (letter === separator) {
      row.push(cell);
      cell = '';
    } else if (letter === '\n') {
      rows.push([...row, cell.replace(/\r$/, '')]);
      row = [];
      cell = '';
      if (rows.length === maxRows) {
        return { rows, isCut: text.slice(i + 1).trim() !== '' };
      }
    } else {
      cell += letter;
    }
  }
  if (row.length > 0 || cell !== '') {
    rows.push([...row, cell]);
  }
  return { rows, isCut: false };
}
