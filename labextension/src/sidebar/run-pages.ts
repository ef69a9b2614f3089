import { useCallback, useMemo, useRef, useState } from 'react';
import type { RunPage, RunRow } from '../api/types';
import type { IAnswer } from '../live/hooks';
import { useOperations } from '../live/many';
import type { IRunLook } from './run-order';
import { sortText } from './run-order';

/** Runs in one answer. */
export const PAGE_RUNS = 100;

export interface IRunPages {
  /** Of the first page, which tells how many there are. */
  answer: IAnswer<RunPage>;
  /** All runs that the question finds, in order; undefined where the page has not come into sight yet. */
  rows: readonly (RunRow | undefined)[];
  /** Changes when the rows answer another question. */
  question: string;
  /** These rows are in sight: first inclusive, last exclusive. */
  onRange: (first: number, last: number) => void;
}

/** Rows as they answer one question, by page. */
interface IKnown {
  question: string;
  total: number;
  pages: Map<number, RunPage>;
}

/**
 * The runs that the filter finds, searched, sorted and paged by the server.
 *
 * Only the pages in sight, and the first one, are fetched and kept up to date. A page once seen stays while the number
 * of runs does; when another question is asked, the old answer stays until the new one is there.
 */
export function useRunPages(text: string, look: IRunLook): IRunPages {
  const params = look.columns.filter(column => column.startsWith('params.'));
  const sort = sortText(look.order);
  // Which of its metrics a run is known by depends on which it has.
  const columns = ['metrics.*', ...params, ...(sort.startsWith('params.') ? [look.order.key] : [])];
  const asked = { text, sort, columns, limit: PAGE_RUNS, details: true };
  const question = JSON.stringify(asked);
  const [range, setRange] = useState({ first: 0, last: 0 });
  const known = useRef<IKnown>({ question: '', total: 0, pages: new Map() });

  const isAnswered = known.current.question === question;
  const wanted = [0];
  if (isAnswered) {
    const last = Math.min(range.last, known.current.total);
    for (let page = Math.floor(range.first / PAGE_RUNS); page * PAGE_RUNS < last; page++) {
      if (page > 0) {
        wanted.push(page);
      }
    }
  }
  const answers = useOperations(
    'runs.search_runs',
    wanted.map(page => ({ ...asked, offset: page * PAGE_RUNS }))
  );

  const first = answers[0];
  const total = first.data?.n_total;
  if (first.data !== undefined && (!isAnswered || known.current.total !== total)) {
    // With runs added or gone, what other pages hold has moved.
    known.current = { question, total: first.data.n_total, pages: new Map() };
  }
  if (known.current.question === question) {
    wanted.forEach((page, i) => {
      const data = answers[i]?.data;
      if (data !== undefined) {
        known.current.pages.set(page, data);
      }
    });
  }
  const shown = known.current;
  const held = [...shown.pages].map(([page, data]) => `${page} ${idOf(data)}`).join();
  const rows = useMemo(
    () => inOrder(shown),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the identities of the answers say what the pages hold
    [shown, held]
  );
  const { error, isLoading, retry } = first;
  // The last answer to be seen, whatever it answers.
  const last = useRef<RunPage | undefined>(undefined);
  last.current = first.data ?? last.current;
  const answer = useMemo(
    () => ({ data: last.current, error, isLoading, retry }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `retry` is made anew each time and does the same
    [first.data, error, isLoading]
  );
  const onRange = useCallback(
    (from: number, to: number) =>
      setRange(old => (old.first === from && old.last === to ? old : { first: from, last: to })),
    []
  );
  return { answer, rows, question: shown.question, onRange };
}

/** Rows at their places. One that moved between the fetches of two pages stands only at the first. */
export function inOrder(known: {
  total: number;
  pages: ReadonlyMap<number, RunPage>;
}): (RunRow | undefined)[] {
  const rows: (RunRow | undefined)[] = new Array(known.total).fill(undefined);
  const seen = new Set<string>();
  for (const page of [...known.pages.keys()].sort((a, b) => a - b)) {
    known.pages.get(page)!.rows.forEach((row, i) => {
      const place = page * PAGE_RUNS + i;
      if (place < known.total && !seen.has(row.run_id)) {
        seen.add(row.run_id);
        rows[place] = row;
      }
    });
  }
  return rows;
}

const ids = new WeakMap<object, number>();
let next = 0;

/** A number that tells this object from all others. */
function idOf(data: object): number {
  let id = ids.get(data);
  if (id === undefined) {
    id = next++;
    ids.set(data, id);
  }
  return id;
}
