import { Dialog, Notification, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { sentence } from '../api/errors';
import { rollBackOf } from '../pages/deployments';
import type { ISurroundings } from '../parts/surroundings';

/** Says what rolling the endpoint back changes and, once that is confirmed, does it. */
export async function rollBack(name: string, surroundings: ISurroundings): Promise<void> {
  const { snapml, trans } = surroundings;
  const title = trans.__('%1 was not rolled back', name);
  try {
    const plan = rollBackOf(await snapml.client.call('serving.get_endpoint', { name }));
    if (plan === undefined) {
      await showErrorMessage(title, trans.__('It has no earlier version to go back to.'));
      return;
    }
    const [before, after] =
      'taken' in plan
        ? [
            trans.__('%1 is taken away and %2 answers all requests.', plan.taken, plan.stays),
            trans.__(
              '%1: %2 was taken away, %3 answers all requests.',
              name,
              plan.taken,
              plan.stays
            )
          ]
        : [
            trans.__('%1, which was live before %2, is deployed again.', plan.to, plan.from),
            trans.__('%1: %2 answers again, %3 is retired.', name, plan.to, plan.from)
          ];
    const { button } = await showDialog({
      title: trans.__('Roll back %1?', name),
      body: trans.__('%1 The audit log records who did it.', before),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.warnButton({ label: trans.__('Roll back') })
      ]
    });
    if (button.accept) {
      await snapml.client.call('serving.roll_back', { name });
      Notification.success(after, { autoClose: 8000 });
    }
  } catch (error) {
    await showErrorMessage(title, sentence(error, trans));
  }
}
