import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Verdict } from '../api/types';

/** The name under which the kernel takes the request; `magics/replay_button.py` answers it. */
const TARGET = 'snapml.replay';

/** What a replay came to, in words for the card. */
export interface IReplayed {
  verdict: Verdict;
  /** The likely cause or the reason, when there is one. */
  because: string | null;
}

/** A replay that could not be made, with the sentence that says why. */
export class ReplayError extends Error {}

/**
 * Replay a run in the environment of the notebook's kernel, which does it in a process of its own.
 *
 * While the kernel is busy the request waits its turn. Throws ReplayError.
 */
export async function replayIn(
  kernel: Kernel.IKernelConnection | null,
  runId: string,
  trans: TranslationBundle
): Promise<IReplayed> {
  if (kernel === null || kernel.isDisposed || kernel.status === 'dead') {
    throw new ReplayError(trans.__('The notebook has no kernel: start one, or insert the cell.'));
  }
  const comm = kernel.createComm(TARGET);
  return new Promise<IReplayed>((resolve, reject) => {
    const gone = () => {
      reject(new ReplayError(trans.__('The kernel ended before the replay did.')));
    };
    kernel.disposed.connect(gone);
    kernel.statusChanged.connect((_, status) => {
      if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
        gone();
      }
    });
    comm.onMsg = message => {
      const data = message.content.data;
      if (typeof data.verdict === 'string') {
        resolve({
          verdict: data.verdict as Verdict,
          because: typeof data.because === 'string' ? data.because : null
        });
      } else {
        reject(new ReplayError(String(data.error)));
      }
    };
    comm.onClose = () => {
      // Without an answer before it: nobody in the kernel knows the name.
      reject(
        new ReplayError(
          trans.__(
            'This kernel has not loaded SnapML: run %1, then replay.',
            '%load_ext snapml_jupyter'
          )
        )
      );
    };
    comm.open({ run_id: runId });
  });
}
