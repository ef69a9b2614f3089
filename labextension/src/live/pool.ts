import type { IDisposable } from '@lumino/disposable';
import type { ArgumentsOf, ISession, OperationName, ResultOf, SnapMLClient } from '../api/client';
import { Query } from './query';
import { topicsOf } from './topics';

interface IHeld {
  query: Query<unknown>;
  holders: number;
  discard: number | undefined;
}

/** How long an answer that nobody holds is kept, so that closing and opening a page does not fetch again. */
const KEEP_MILLISECONDS = 5000;

/** The questions now asked, each once. `hold` and `release` come in pairs. */
export class QueryPool implements IDisposable {
  constructor(private readonly client: SnapMLClient) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The query of an operation with these arguments; not `isLive`, it is left out when changes are announced. */
  hold<N extends OperationName>(name: N, args: ArgumentsOf<N>, isLive = true): Query<ResultOf<N>> {
    const key = `${isLive ? 'live' : 'once'} ${name} ${JSON.stringify(args)}`;
    return this.held(key, () => this.client.call(name, args), isLive ? topicsOf(name) : []);
  }

  /** The query of who acts, on which workspace. */
  holdSession(): Query<ISession> {
    return this.held('session', () => this.client.whoami(), []);
  }

  release<T>(query: Query<T>): void {
    for (const [key, held] of this._held) {
      if (held.query === (query as unknown)) {
        held.holders -= 1;
        if (held.holders === 0) {
          held.discard = window.setTimeout(() => {
            this._held.delete(key);
            held.query.dispose();
          }, KEEP_MILLISECONDS);
        }
        return;
      }
    }
  }

  /** Something of this kind changed in the workspace. */
  announce(kind: string): void {
    for (const { query } of this._held.values()) {
      if (query.concerns(kind)) {
        query.invalidate();
      }
    }
  }

  /** Ask everything that somebody watches again; the rest when it is next looked at. */
  async refreshAll(): Promise<void> {
    const waiting: Promise<void>[] = [];
    for (const { query } of this._held.values()) {
      if (query.isWatched) {
        waiting.push(query.refresh());
      } else {
        query.invalidate();
      }
    }
    await Promise.all(waiting);
  }

  /** Whether somebody watches anything at all. */
  get isWatched(): boolean {
    return [...this._held.values()].some(held => held.query.isWatched);
  }

  dispose(): void {
    this._isDisposed = true;
    for (const held of this._held.values()) {
      window.clearTimeout(held.discard);
      held.query.dispose();
    }
    this._held.clear();
  }

  private held<T>(key: string, fetch: () => Promise<T>, topics: readonly string[]): Query<T> {
    let held = this._held.get(key);
    if (held === undefined) {
      held = { query: new Query<unknown>(fetch, topics), holders: 0, discard: undefined };
      this._held.set(key, held);
    }
    window.clearTimeout(held.discard);
    held.holders += 1;
    return held.query as Query<T>;
  }

  private _held = new Map<string, IHeld>();
  private _isDisposed = false;
}
