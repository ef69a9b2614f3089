import type { Event as JupyterEvent } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { QueryPool } from './pool';

/** The Jupyter event by which the server part tells of a change. */
export const EVENT_SCHEMA = 'https://schema.snapml.org/events/v1';

/** The net below the events: how often everything watched is asked again, in milliseconds. */
export const SLOW_MILLISECONDS = 30_000;

/**
 * Brings changes to the queries: the server's events within a blink, and a slow poll for events that were lost.
 *
 * Nothing is asked while the page is hidden; when it is shown again everything watched is asked once, because the
 * event socket does not replay what it missed.
 */
export class Changes implements IDisposable {
  constructor(
    private readonly pool: QueryPool,
    stream: ISignal<unknown, JupyterEvent.Emission>
  ) {
    stream.connect(this._onEvent, this);
    document.addEventListener('visibilitychange', this._onVisibility);
    this._poll = new Poll({
      auto: true,
      name: 'snapml-jupyter:net',
      factory: () => pool.refreshAll(),
      frequency: { interval: SLOW_MILLISECONDS, backoff: false },
      standby: () => document.hidden || !pool.isWatched
    });
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** How often the net is cast, in seconds. */
  set everySeconds(seconds: number) {
    this._poll.frequency = { ...this._poll.frequency, interval: 1000 * seconds };
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this._onVisibility);
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _onEvent(_: unknown, event: JupyterEvent.Emission): void {
    if (event.schema_id === EVENT_SCHEMA && typeof event.kind === 'string') {
      this.pool.announce(event.kind);
    }
  }

  private _onVisibility = (): void => {
    if (!document.hidden) {
      void this.pool.refreshAll();
    }
  };

  private readonly _poll: Poll;
}
