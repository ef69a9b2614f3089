import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { snapmlIcon } from '../icons';
import { readLook } from '../sidebar/run-order';
import type { ISidebarState } from '../sidebar/sidebar';
import { SIDEBAR_ID, SidebarWidget } from '../sidebar/widget';
import { CommandIDs, ISnapML } from '../tokens';
import { surround } from './surround';

/** Between Lab's own panels (running 100s) and the extension manager (1000). */
const RANK = 200;
const STATE_KEY = 'snapml-jupyter:sidebar';

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'snapml-jupyter:panel',
  description: 'The sidebar with runs, datasets, models, endpoints and monitors.',
  autoStart: true,
  requires: [ISnapML],
  optional: [ITranslator, ILayoutRestorer, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    snapml: ISnapML,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null
  ): void => {
    const surroundings = surround(app, snapml, translator ?? nullTranslator);
    const { trans } = surroundings;
    const widget = new SidebarWidget(surroundings, {
      load: async () => {
        const kept = (await state?.fetch(STATE_KEY)) as Partial<ISidebarState> | undefined;
        return {
          closed: Array.isArray(kept?.closed) ? kept.closed : [],
          look: readLook(kept?.look)
        };
      },
      // What is kept is JSON: copies that may be written to.
      save: ({ closed, look }) =>
        void state?.save(STATE_KEY, {
          closed: [...closed],
          look: { order: { ...look.order }, columns: [...look.columns] }
        })
    });
    app.shell.add(widget, 'left', { rank: RANK, type: trans.__('SnapML') });
    restorer?.add(widget, SIDEBAR_ID);

    app.commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('SnapML'),
      caption: trans.__('Show runs, data, models, endpoints and monitors'),
      icon: snapmlIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => app.shell.activateById(SIDEBAR_ID)
    });
    app.commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh SnapML'),
      caption: trans.__('Ask the server for everything shown again'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => snapml.queries.refreshAll()
    });
  }
};
