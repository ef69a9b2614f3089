import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

/** What is known of an answer. While `isLoading`, `data` is still the last one. */
export interface IQueryState<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
}

/** Pause between two fetches of one query, so that a burst of changes is one fetch. */
export const DEBOUNCE_MILLISECONDS = 100;

/**
 * One question to the server and its newest answer, shared by everybody who asks it.
 *
 * It is fetched again when a change concerns it, but only while somebody watches; else when the next one starts to.
 */
export class Query<T> implements IDisposable {
  constructor(
    private readonly fetch: () => Promise<T>,
    readonly topics: readonly string[]
  ) {}

  get state(): IQueryState<T> {
    return this._state;
  }

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get isWatched(): boolean {
    return this._watchers > 0;
  }

  /** Whether a change of this kind can alter the answer. */
  concerns(kind: string): boolean {
    return this.topics.some(topic => kind.startsWith(topic));
  }

  /** Somebody looks at it. Fetches when there is no answer yet or when it may have changed. */
  watch(): void {
    this._watchers += 1;
    if (this._isStale) {
      void this.refresh();
    }
  }

  unwatch(): void {
    this._watchers -= 1;
  }

  /** The answer may have changed: fetch soon, or when somebody watches again. */
  invalidate(): void {
    this._isStale = true;
    if (this.isWatched && this._timer === undefined && !this._state.isLoading) {
      this._timer = window.setTimeout(() => {
        this._timer = undefined;
        void this.refresh();
      }, DEBOUNCE_MILLISECONDS);
    }
  }

  /** Fetch now. One fetch at a time: asked again meanwhile, it is repeated once at the end. */
  async refresh(): Promise<void> {
    if (this._state.isLoading || this._isDisposed) {
      this._isStale = true;
      return;
    }
    window.clearTimeout(this._timer);
    this._timer = undefined;
    this._isStale = false;
    this.set({ ...this._state, isLoading: true });
    let next: IQueryState<T>;
    try {
      next = { data: await this.fetch(), error: undefined, isLoading: false };
    } catch (error) {
      next = { data: this._state.data, error, isLoading: false };
    }
    this.set(next);
    if (this._isStale) {
      this.invalidate();
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    Signal.clearData(this);
  }

  private set(state: IQueryState<T>): void {
    if (this._isDisposed) {
      return;
    }
    this._state = state;
    this._stateChanged.emit();
  }

  private _state: IQueryState<T> = { data: undefined, error: undefined, isLoading: false };
  private _stateChanged = new Signal<this, void>(this);
  private _watchers = 0;
  private _isStale = true;
  private _isDisposed = false;
  private _timer: number | undefined;
}
