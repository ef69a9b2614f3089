import type { TranslationBundle } from '@jupyterlab/translation';

/** What kept a call from being answered. Each kind has one sentence in `sentence`. */
export type ProblemKind =
  'server-missing' | 'versions-differ' | 'unreachable' | 'no-right' | 'host-stopped' | 'failed';

/** A call that was not answered with a record. `message` is the server's own sentence, where it gave one. */
export class SnapMLError extends Error {
  constructor(
    readonly kind: ProblemKind,
    message = '',
    readonly code = 'error'
  ) {
    super(message);
    this.name = 'SnapMLError';
  }
}

/** The two halves are of different versions: usually an upgrade without a reload or a restart. */
export class VersionsDifferError extends SnapMLError {
  constructor(
    readonly page: string,
    readonly server: string
  ) {
    super('versions-differ');
  }
}

/**
 * The error behind an HTTP answer that is not 2xx.
 *
 * Our server always says `{"error": code, "message": sentence}`. A 404 without that shape was given by Jupyter
 * itself, so nobody there knows our addresses.
 */
export function errorOf(status: number, body: string): SnapMLError {
  const { code, message } = parse(body);
  if (status === 404 && code === undefined) {
    return new SnapMLError('server-missing');
  }
  if (status === 401 || status === 403) {
    return new SnapMLError('no-right', message, code ?? 'permission_denied');
  }
  if (code === 'unavailable' && /\bhost\b/i.test(message)) {
    return new SnapMLError('host-stopped', message, code);
  }
  return new SnapMLError('failed', message || `HTTP ${status}`, code ?? 'error');
}

function parse(body: string): { code?: string; message: string } {
  try {
    const content = JSON.parse(body);
    const message = typeof content?.message === 'string' ? content.message : '';
    return typeof content?.error === 'string' ? { code: content.error, message } : { message };
  } catch {
    return { message: '' };
  }
}

/** One sentence: what failed, why, what to do. */
export function sentence(error: unknown, trans: TranslationBundle): string {
  if (error instanceof VersionsDifferError) {
    return trans.__(
      'This page is SnapML %1 but the server has %2. Restart the Jupyter server, then reload this page.',
      error.page,
      error.server
    );
  }
  if (!(error instanceof SnapMLError)) {
    return error instanceof Error ? error.message : String(error);
  }
  switch (error.kind) {
    case 'server-missing':
      return trans.__(
        "The server part of SnapML is missing. Install snapml-jupyter in the Jupyter server's own environment and restart it."
      );
    case 'unreachable':
      return trans.__(
        'The Jupyter server does not answer. Check that it runs and that you are online.'
      );
    case 'no-right':
      return (
        error.message ||
        trans.__('You have no right to do this on this server. Ask its administrator.')
      );
    default:
      return error.message;
  }
}
