import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';
import type { SnapMLClient } from './client';
import { SnapMLError } from './errors';
import type { DatasetVersion } from './types';

/** Bytes sent at a time: what is lost when the connection breaks, and how often progress is told. */
export const PIECE_BYTES = 8 * 1024 * 1024;
/** Attempts at one piece before a person has to say go on; the waits double from one second. */
const ATTEMPTS = 5;

/** A file on its way: `received` bytes of `size` are there. */
interface IUpload {
  upload_id: string;
  filename: string;
  size: number;
  received: number;
}

/** How it stands: `broken` waits for a person to say go on. */
export type UploadState = 'sending' | 'paused' | 'broken' | 'sent' | 'cancelled';

/** Whether trying again cannot help. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof SnapMLError &&
    (error.kind === 'no-right' || ['not_found', 'invalid_input'].includes(error.code))
  );
}

/** Where the ids of unfinished uploads are kept, so that the same file goes on after a reload. */
export interface IUploadMemory {
  getItem: (key: string) => string | null;
  setItem: (key: string, value: string) => void;
  removeItem: (key: string) => void;
}

/**
 * Sends a file in pieces to the server, which keeps what it has: after a broken connection, a pause or a reload of the
 * page it goes on from there.
 */
export class FileUpload {
  constructor(
    private readonly client: SnapMLClient,
    readonly file: File,
    private readonly memory: IUploadMemory,
    private readonly wait = (milliseconds: number): Promise<void> =>
      new Promise(done => setTimeout(done, milliseconds))
  ) {}

  get state(): UploadState {
    return this._state;
  }

  /** Bytes that the server has. */
  get received(): number {
    return this._received;
  }

  /** Why it is broken. */
  get error(): unknown {
    return this._error;
  }

  /** Emits when the state or the number of bytes changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Send until all is there; resolves with whether it is, false when it was cancelled. */
  async run(): Promise<boolean> {
    this._id = await this.beginOrFind();
    while (this._received < this.file.size) {
      if (this._state === 'sending') {
        await this.sendPiece();
      }
      while (this._state === 'paused' || this._state === 'broken') {
        await new Promise<void>(go => (this._go = go));
      }
      if (this._state === 'cancelled') {
        return false;
      }
    }
    this.become('sent');
    return true;
  }

  /** Stop after the piece under way was given up; what the server has stays. */
  pause(): void {
    if (this._state === 'sending') {
      this.become('paused');
      this._abort?.abort();
    }
  }

  /** Go on after a pause or after it broke. */
  resume(): void {
    if (this._state === 'paused' || this._state === 'broken') {
      this.become('sending');
      this._go?.();
    }
  }

  /** Make a dataset version of the file once all of it is there. Throws SnapMLError; the upload then stays. */
  async finish(name: string, message: string | null): Promise<DatasetVersion> {
    const version = await this.ask<DatasetVersion>([this._id!, 'finish'], {
      method: 'POST',
      body: JSON.stringify({ name, message })
    });
    this.memory.removeItem(this.key);
    return version;
  }

  /** Give up, and let the server forget what it has. */
  async cancel(): Promise<void> {
    this.become('cancelled');
    this._abort?.abort();
    this._go?.();
    this.memory.removeItem(this.key);
    if (this._id !== undefined) {
      try {
        await this.client.request(['uploads', this._id], { method: 'DELETE' });
      } catch (error) {
        this._error = error; // the server forgets what nobody goes on with
      }
    }
  }

  private async beginOrFind(): Promise<string> {
    const known = this.memory.getItem(this.key);
    if (known !== null) {
      try {
        return this.take(await this.ask<IUpload>([known]));
      } catch (error) {
        if (!(error instanceof SnapMLError) || error.code !== 'not_found') {
          throw error;
        }
      }
    }
    const begun = await this.ask<IUpload>([], {
      method: 'POST',
      body: JSON.stringify({ filename: this.file.name, size: this.file.size })
    });
    this.memory.setItem(this.key, begun.upload_id);
    return this.take(begun);
  }

  private async sendPiece(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        this._abort = new AbortController();
        const init = {
          method: 'PUT',
          body: this.file.slice(this._received, this._received + PIECE_BYTES),
          headers: { 'Content-Type': 'application/octet-stream' },
          signal: this._abort.signal
        };
        this.take(await this.ask<IUpload>([this._id!], init, `?offset=${this._received}`));
        return;
      } catch (error) {
        if (this._state !== 'sending') {
          break; // a person stopped it
        }
        if (attempt === ATTEMPTS || isFinal(error)) {
          this._error = error;
          this.become('broken');
          break;
        }
        await this.wait(1000 * 2 ** (attempt - 1));
      }
      await this.askHowFar();
    }
    await this.askHowFar();
  }

  private async ask<T>(path: string[], init: RequestInit = {}, query = ''): Promise<T> {
    return (await (await this.client.request(['uploads', ...path], init, query)).json()) as T;
  }

  /** A piece may have arrived in part. */
  private async askHowFar(): Promise<void> {
    if (this._state === 'cancelled') {
      return;
    }
    try {
      this.take(await this.ask<IUpload>([this._id!]));
    } catch (error) {
      this._error = error; // still unreachable: the next attempt says so again
    }
  }

  private take(upload: IUpload): string {
    this._received = upload.received;
    this._changed.emit();
    return upload.upload_id;
  }

  private become(state: UploadState): void {
    this._state = state;
    this._changed.emit();
  }

  /** The same file again, as far as a browser can tell. */
  private get key(): string {
    const { name, size, lastModified } = this.file;
    return `snapml-jupyter:upload ${this.client.url()} ${name} ${size} ${lastModified}`;
  }

  private _state: UploadState = 'sending';
  private _received = 0;
  private _error: unknown;
  private _id: string | undefined;
  private _abort: AbortController | undefined;
  private _go: (() => void) | undefined;
  private _changed = new Signal<this, void>(this);
}
