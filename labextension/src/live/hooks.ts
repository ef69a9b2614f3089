import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ArgumentsOf, ISession, OperationName, ResultOf } from '../api/client';
import { useSurroundings, useVisible } from '../parts/surroundings';
import type { QueryPool } from './pool';
import type { IQueryState, Query } from './query';

/** A query's state, and a way to ask again. */
export interface IAnswer<T> extends IQueryState<T> {
  retry: () => void;
}

export interface IAskOptions {
  /** Ask again this often while shown, for figures that change without an event. */
  everyMilliseconds?: number;
  /** False: do not ask at all (an argument is not known yet). */
  enabled?: boolean;
  /** False: do not ask again when something changes, only on refresh and by the slow net. */
  isLive?: boolean;
}

/** The newest answer of an operation; the component is drawn again when it changes. */
export function useOperation<N extends OperationName>(
  name: N,
  args: ArgumentsOf<N>,
  options: IAskOptions = {}
): IAnswer<ResultOf<N>> {
  const key = JSON.stringify(args);
  const { isLive = true } = options;
  const hold = useCallback(
    (pool: QueryPool) => pool.hold(name, JSON.parse(key) as ArgumentsOf<N>, isLive),
    [name, key, isLive]
  );
  return useQuery<ResultOf<N>>(hold, options);
}

/** Who acts here, on which workspace. */
export function useSession(): IAnswer<ISession> {
  return useQuery<ISession>(holdSession, {});
}

const holdSession = (pool: QueryPool) => pool.holdSession();
const NOTHING: IQueryState<never> = { data: undefined, error: undefined, isLoading: false };

function useQuery<T>(hold: (pool: QueryPool) => Query<T>, options: IAskOptions): IAnswer<T> {
  const { everyMilliseconds, enabled = true } = options;
  const pool = useSurroundings().snapml.queries;
  const isVisible = useVisible();
  const [query, setQuery] = useState<Query<T> | null>(null);
  const [, redraw] = useState(0);

  useEffect(() => {
    if (!enabled) {
      return;
    }
    const held = hold(pool);
    const onChange = () => redraw(n => n + 1);
    held.stateChanged.connect(onChange);
    setQuery(held);
    return () => {
      held.stateChanged.disconnect(onChange);
      pool.release(held);
      setQuery(null);
    };
  }, [pool, hold, enabled]);

  useEffect(() => {
    if (query === null || !isVisible) {
      return;
    }
    query.watch();
    const timer =
      everyMilliseconds === undefined
        ? undefined
        : window.setInterval(() => {
            if (!document.hidden) {
              void query.refresh();
            }
          }, everyMilliseconds);
    return () => {
      window.clearInterval(timer);
      query.unwatch();
    };
  }, [query, isVisible, everyMilliseconds]);

  const state: IQueryState<T> = query?.state ?? NOTHING;
  // Asked with other arguments (more rows), the old answer stays until the new one is there.
  const last = useRef<T | undefined>(undefined);
  if (state.data !== undefined) {
    last.current = state.data;
  }
  const data = last.current;
  const retry = useCallback(() => void query?.refresh(), [query]);
  const waiting = enabled && query === null;
  return useMemo(
    () => ({ ...state, data, isLoading: state.isLoading || waiting, retry }),
    [state, data, waiting, retry]
  );
}
