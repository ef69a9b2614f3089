import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  Dialog,
  ICommandPalette,
  InputDialog,
  showDialog,
  showErrorMessage
} from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { sentence } from '../api/errors';
import { CommandIDs, ISnapML } from '../tokens';
import { SUBJECT_SCHEMA, subjectOf } from './subject';
import { DOMAIN, surround } from './surround';

export const actionsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'snapml-jupyter:actions',
  description: 'Commands that change the workspace: deploy, upload, start and stop the host.',
  autoStart: true,
  requires: [ISnapML],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, snapml: ISnapML, translator: ITranslator | null): void => {
    const surroundings = surround(app, snapml, translator ?? nullTranslator);
    const { trans } = surroundings;
    const { client } = snapml;

    /** Run it; when it is refused, say why. */
    const attempt = async (title: string, act: () => Promise<unknown>): Promise<void> => {
      try {
        await act();
      } catch (error) {
        await showErrorMessage(title, sentence(error, trans));
      }
    };

    app.commands.addCommand(CommandIDs.deploy, {
      label: trans.__('Deploy…'),
      caption: trans.__('Put a model version behind an endpoint; says first what will happen'),
      describedBy: { args: SUBJECT_SCHEMA },
      execute: async args => {
        const named = typeof args.ref === 'string' ? args.ref : subjectOf(app, args)?.ref;
        await attempt(trans.__('Not deployed'), async () => {
          const ref = named ?? (await askForModel());
          if (ref !== undefined) {
            const { deploy } = await import('../dialogs/deploy');
            await deploy(ref, surroundings);
          }
        });
      }
    });

    app.commands.addCommand(CommandIDs.rollBack, {
      label: trans.__('Roll Back…'),
      caption: trans.__('Take the new version of an endpoint away; says first what will happen'),
      describedBy: { args: SUBJECT_SCHEMA },
      isEnabled: args => subjectOf(app, args)?.kind === 'endpoint',
      execute: async args => {
        const subject = subjectOf(app, args);
        if (subject?.kind === 'endpoint') {
          const { rollBack } = await import('../dialogs/roll-back');
          await rollBack(subject.ref, surroundings);
        }
      }
    });

    const askForModel = async (): Promise<string | undefined> => {
      const models = await client.call('registry.list_models');
      if (models.length === 0) {
        await showErrorMessage(
          trans.__('Nothing to deploy'),
          trans.__('Register a model first: %snap_register RUN NAME.')
        );
        return undefined;
      }
      const { value } = await InputDialog.getItem({
        title: trans.__('Deploy a model'),
        items: models.map(model => (model.champion ?? model.latest).ref)
      });
      return value ?? undefined;
    };

    app.commands.addCommand(CommandIDs.upload, {
      label: trans.__('Upload a Dataset…'),
      caption: trans.__('Send a CSV, Parquet or Arrow file and keep it as a dataset version'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const { upload } = await import('../dialogs/upload');
        await upload(surroundings);
      }
    });

    app.commands.addCommand(CommandIDs.startHost, {
      label: trans.__('Start Host'),
      caption: trans.__("Start the workspace's background process, which answers endpoints"),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () =>
        attempt(trans.__('The host did not start'), () => client.call('serving.start_host'))
    });
    app.commands.addCommand(CommandIDs.stopHost, {
      label: trans.__('Stop Host…'),
      caption: trans.__('Stop answering at every endpoint of the workspace'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const { button } = await showDialog({
          title: trans.__('Stop the host?'),
          body: trans.__(
            'No endpoint of this workspace answers until it is started again. Nothing recorded is lost.'
          ),
          buttons: [
            Dialog.cancelButton({ label: trans.__('Cancel') }),
            Dialog.warnButton({ label: trans.__('Stop') })
          ]
        });
        if (button.accept) {
          await attempt(trans.__('The host did not stop'), () => client.call('serving.stop_host'));
        }
      }
    });
  }
};

export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'snapml-jupyter:launcher',
  description: 'SnapML in the command palette and in the launcher.',
  autoStart: true,
  optional: [ICommandPalette, ILauncher, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const category = trans.__('SnapML');
    for (const command of [
      CommandIDs.showPanel,
      CommandIDs.refresh,
      CommandIDs.compare,
      CommandIDs.upload,
      CommandIDs.deploy,
      CommandIDs.startHost,
      CommandIDs.stopHost
    ]) {
      palette?.addItem({ command, category });
    }
    launcher?.add({ command: CommandIDs.showPanel, category: trans.__('Other'), rank: 50 });
  }
};
