import { useCallback, useState } from 'react';

export interface IAction<A extends unknown[]> {
  run: (...args: A) => Promise<void>;
  isBusy: boolean;
  error: unknown;
}

/** Something a person starts that changes the workspace: one at a time, and its error stays to be read. */
export function useAction<A extends unknown[]>(act: (...args: A) => Promise<unknown>): IAction<A> {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const run = useCallback(
    async (...args: A) => {
      setBusy(true);
      setError(undefined);
      try {
        await act(...args);
      } catch (reason) {
        setError(reason);
      } finally {
        setBusy(false);
      }
    },
    [act]
  );
  return { run, isBusy, error };
}
