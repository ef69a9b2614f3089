import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIDs } from '../tokens';
import { cellFor } from './cells';
import { SUBJECT_SCHEMA, subjectOf } from './subject';
import { DOMAIN } from './surround';

export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: 'snapml-jupyter:notebook',
  description: 'Puts magics and calls into the notebook as visible cells, which the user runs.',
  autoStart: true,
  optional: [INotebookTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    app.commands.addCommand(CommandIDs.insertCell, {
      label: trans.__('Insert as Cell'),
      caption: trans.__('Put the code for this below the selected cell; nothing is run'),
      describedBy: {
        args: {
          type: 'object',
          properties: { ...SUBJECT_SCHEMA.properties, code: { type: 'string' } }
        }
      },
      execute: async args => {
        const subject = subjectOf(app, args);
        const code =
          typeof args.code === 'string' ? args.code : subject && cellFor(subject.kind, subject.ref);
        if (code === undefined) {
          return;
        }
        const panel = notebooks?.currentWidget;
        if (!panel) {
          Notification.info(trans.__('Open a notebook first: the cell is put into it.'), {
            autoClose: 4000
          });
          return;
        }
        const { NotebookActions } = await import('@jupyterlab/notebook');
        const notebook = panel.content;
        const isBlank = notebook.activeCell?.model.sharedModel.getSource().trim() === '';
        if (!isBlank || notebook.activeCell?.model.type !== 'code') {
          NotebookActions.insertBelow(notebook);
        }
        notebook.activeCell?.model.sharedModel.setSource(code);
        app.shell.activateById(panel.id);
        notebook.mode = 'edit';
      }
    });
  }
};
