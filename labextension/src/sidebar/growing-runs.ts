import { useCallback, useMemo, useRef, useState } from 'react';
import type { Run } from '../api/types';
import type { IAnswer } from '../live/hooks';
import { useOperation } from '../live/hooks';

/** The newest runs, which are asked for again at every change, and how many older ones are added at a time. */
export const PAGE_RUNS = 200;

export interface IGrowingRuns {
  /** Of the newest runs; older ones come and fail in silence below them. */
  answer: IAnswer<Run[]>;
  runs: readonly Run[];
  /** The end of what is loaded came into sight. */
  onNearEnd: () => void;
}

/**
 * Runs, newest first, as many as were scrolled to.
 *
 * Only the newest page is live, so that a training loop that logs many metrics does not fetch thousands of old runs
 * again and again. All runs once seen are kept: one that newer ones push off the newest page does not vanish.
 */
export function useGrowingRuns(): IGrowingRuns {
  const [nOlder, setOlder] = useState(0);
  const newest = useOperation('runs.list_runs', { limit: PAGE_RUNS });
  const older = useOperation(
    'runs.list_runs',
    { limit: nOlder, offset: PAGE_RUNS },
    { enabled: nOlder > 0, isLive: false }
  );
  const known = useRef(new Map<string, Run>());
  const isFull = newest.data?.length === PAGE_RUNS;
  const runs = useMemo(() => {
    if (!isFull) {
      known.current.clear();
    }
    for (const run of [...(older.data ?? []), ...(newest.data ?? [])]) {
      known.current.set(run.run_id, run);
    }
    const started = (run: Run) => Date.parse(run.started_at);
    return [...known.current.values()].sort((a, b) => started(b) - started(a));
  }, [newest.data, older.data, isFull]);

  const nLoaded = older.data?.length ?? 0;
  const onNearEnd = useCallback(() => {
    if (isFull) {
      setOlder(asked => (nLoaded === asked ? asked + PAGE_RUNS : asked));
    }
  }, [isFull, nLoaded]);
  return { answer: newest, runs, onNearEnd };
}
