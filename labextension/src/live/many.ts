import { useEffect, useRef, useState } from 'react';
import type { ArgumentsOf, OperationName, ResultOf } from '../api/client';
import { useSurroundings, useVisible } from '../parts/surroundings';
import type { IQueryState, Query } from './query';

const UNASKED: IQueryState<never> = { data: undefined, error: undefined, isLoading: true };

/** The newest answers of one operation for several arguments, in their order: pages of a list that are in sight. */
export function useOperations<N extends OperationName>(
  name: N,
  args: readonly ArgumentsOf<N>[]
): readonly (IQueryState<ResultOf<N>> & { retry: () => void })[] {
  const pool = useSurroundings().snapml.queries;
  const isVisible = useVisible();
  const held = useRef(new Map<string, Query<ResultOf<N>>>());
  const [, redraw] = useState(0);
  const tell = useRef(() => redraw(n => n + 1)).current;
  const keys = args.map(each => JSON.stringify(each));
  const joined = keys.join('\n');

  useEffect(() => {
    const wanted = new Set(joined === '' ? [] : joined.split('\n'));
    for (const [key, query] of held.current) {
      if (!wanted.has(key)) {
        held.current.delete(key);
        query.stateChanged.disconnect(tell);
        pool.release(query);
      }
    }
    for (const key of wanted) {
      if (!held.current.has(key)) {
        const query = pool.hold(name, JSON.parse(key) as ArgumentsOf<N>);
        query.stateChanged.connect(tell);
        held.current.set(key, query);
      }
    }
    tell();
  }, [pool, name, joined, tell]);

  useEffect(() => {
    if (!isVisible) {
      return;
    }
    const watched = [...held.current.values()];
    watched.forEach(query => query.watch());
    return () => watched.forEach(query => query.unwatch());
  }, [pool, name, joined, isVisible]);

  useEffect(() => {
    const all = held.current;
    return () => {
      for (const query of all.values()) {
        query.stateChanged.disconnect(tell);
        pool.release(query);
      }
      all.clear();
    };
  }, [pool, tell]);

  return keys.map(key => {
    const query = held.current.get(key);
    return { ...(query?.state ?? UNASKED), retry: () => void query?.refresh() };
  });
}
