import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { VERSION } from '../version';
import { errorOf, SnapMLError, VersionsDifferError } from './errors';
import type { Operations } from './types';

/** Name of an operation, as the server lists it. */
export type OperationName = keyof Operations;
export type ArgumentsOf<N extends OperationName> = Operations[N]['arguments'];
export type ResultOf<N extends OperationName> = Operations[N]['result'];

/** Who acts, on which workspace. */
export interface ISession {
  actor: string;
  workspace: string;
  version: string;
}

/** The answer of an endpoint, with the time it took through Jupyter's proxy. */
export interface IEndpointAnswer {
  status: number;
  body: string;
  milliseconds: number;
}

/** Calls operations of the server part, below Jupyter's base URL and with its login. */
export class SnapMLClient {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** Call an operation by name. Throws SnapMLError. */
  async call<N extends OperationName>(
    name: N,
    args: ArgumentsOf<N> = {} as ArgumentsOf<N>
  ): Promise<ResultOf<N>> {
    const response = await this.request(['api', name], {
      method: 'POST',
      body: JSON.stringify(args),
      headers: { 'Content-Type': 'application/json' }
    });
    return (await response.json()) as ResultOf<N>;
  }

  /** Who am I here. Throws VersionsDifferError when the server's half is another version. */
  async whoami(): Promise<ISession> {
    const session: ISession = await (await this.request(['api', 'whoami'])).json();
    if (session.version !== VERSION) {
      throw new VersionsDifferError(VERSION, session.version);
    }
    return session;
  }

  /** The content of a blob. Throws SnapMLError. */
  async blob(digest: string): Promise<Blob> {
    return (await this.request(['blobs', digest])).blob();
  }

  /** Send rows to an endpoint through the server. Refusals of the endpoint are answers too, not errors. */
  async predict(endpoint: string, key: string, rows: object[]): Promise<IEndpointAnswer> {
    const started = performance.now();
    const response = await this.fetch(['endpoints', endpoint, 'predict'], {
      method: 'POST',
      body: JSON.stringify({ rows }),
      headers: { 'Content-Type': 'application/json', ...(key ? { 'X-SnapML-Key': key } : {}) }
    });
    const body = await response.text();
    return { status: response.status, body, milliseconds: performance.now() - started };
  }

  /** The address of a path below `snapml/`. */
  url(...path: string[]): string {
    return URLExt.join(this.settings.baseUrl, 'snapml', ...path.map(encodeURIComponent));
  }

  /** Ask an address below `snapml/` that is no operation. Throws SnapMLError. */
  async request(path: string[], init: RequestInit = {}, query = ''): Promise<Response> {
    const response = await this.fetch(path, init, query);
    if (!response.ok) {
      throw errorOf(response.status, await response.text());
    }
    return response;
  }

  private async fetch(path: string[], init: RequestInit, query = ''): Promise<Response> {
    try {
      return await ServerConnection.makeRequest(this.url(...path) + query, init, this.settings);
    } catch (reason) {
      if (reason instanceof ServerConnection.NetworkError) {
        throw new SnapMLError('unreachable', reason.message);
      }
      throw reason;
    }
  }
}
