import React from 'react';
import { useSurroundings } from './surroundings';

/** A line of a unified diff with its numbers in the two texts; `gap` stands where lines are left out. */
export interface IDiffLine {
  change: 'added' | 'removed' | 'same' | 'gap';
  before: number | null;
  after: number | null;
  text: string;
}

/** The lines of a unified diff, without its two header lines. */
export function readDiff(lines: readonly string[]): IDiffLine[] {
  const found: IDiffLine[] = [];
  let before = 0;
  let after = 0;
  for (const line of lines.slice(2)) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line);
    if (hunk !== null) {
      // A hunk that removes or adds at the very start names line 0.
      before = Math.max(1, Number(hunk[1]));
      after = Math.max(1, Number(hunk[2]));
      if (found.length > 0 || before > 1) {
        found.push({ change: 'gap', before: null, after: null, text: '' });
      }
    } else if (line.startsWith('+')) {
      found.push({ change: 'added', before: null, after: after++, text: line.slice(1) });
    } else if (line.startsWith('-')) {
      found.push({ change: 'removed', before: before++, after: null, text: line.slice(1) });
    } else {
      found.push({ change: 'same', before: before++, after: after++, text: line.slice(1) });
    }
  }
  return found;
}

const SIGNS = { added: '+', removed: '−', same: '', gap: '⋯' };

/** A unified diff as a table: numbers in both texts, a sign, the line; the change is spoken, too. */
export function Diff(props: { lines: readonly string[] }): React.ReactElement {
  const { trans } = useSurroundings();
  const label = trans.__('Changed lines');
  const words = {
    added: trans.__('added'),
    removed: trans.__('removed'),
    same: '',
    gap: trans.__('lines left out')
  };
  return (
    <div className="jp-snapml-diff" tabIndex={0} role="group" aria-label={label}>
      <table aria-label={label}>
        <tbody>
          {readDiff(props.lines).map((line, i) => (
            <tr key={i} data-change={line.change}>
              <td className="jp-snapml-diff-number">{line.before}</td>
              <td className="jp-snapml-diff-number">{line.after}</td>
              <td className="jp-snapml-diff-sign">
                <span aria-hidden="true">{SIGNS[line.change]}</span>
                <span className="jp-snapml-spoken">{words[line.change]}</span>
              </td>
              <td>
                <code>{line.text}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
