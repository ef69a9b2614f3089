import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { SnapMLClient } from '../api/client';
import { sentence } from '../api/errors';
import type { RunCard } from '../api/types';
import { CommandIDs } from '../tokens';

/** What the buttons need. */
export interface IHands {
  client: SnapMLClient;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** The command that opens a comparison; takes `{refs}`. */
export const COMPARE = 'snapml:compare';
/** Runs of one name that are looked at for the one before. */
const LOOKED_AT = 50;

/** Compare the run with the one of its name before it; alone, when it is the first. */
export async function compareWithTheOneBefore(card: RunCard, hands: IHands): Promise<void> {
  const { client, commands, trans } = hands;
  try {
    const runs = await client.call('runs.list_runs', { name: card.name, limit: LOOKED_AT });
    const place = runs.findIndex(run => run.run_id === card.run_id);
    const before = place < 0 ? undefined : runs[place + 1];
    const refs = before ? [before.run_id, card.run_id] : [card.run_id];
    await commands.execute(COMPARE, { refs });
  } catch (error) {
    await showErrorMessage(trans.__('Not compared'), sentence(error, trans));
  }
}

/** Deploy the model of the run; one that is not registered yet is registered by a cell that the user sees and runs. */
export async function deployFrom(card: RunCard, hands: IHands): Promise<void> {
  const { client, commands, trans } = hands;
  try {
    const run = await client.call('runs.get_run', { ref: card.run_id });
    const ref = run.model_refs[run.model_refs.length - 1];
    if (ref !== undefined) {
      await commands.execute(CommandIDs.deploy, { kind: 'model', ref });
    } else {
      await commands.execute(CommandIDs.insertCell, {
        code: `%snap_register ${card.run_id} ${card.name}`
      });
    }
  } catch (error) {
    await showErrorMessage(trans.__('Not deployed'), sentence(error, trans));
  }
}
