import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { Clipboard, IThemeManager, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { PageWidget } from '../pages/widget';
import { CommandIDs, ISnapML, PAGE_KINDS } from '../tokens';
import { SUBJECT_SCHEMA, subjectOf } from './subject';
import { surround } from './surround';

export const pagesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'snapml-jupyter:pages',
  description:
    'Pages in the main area for runs, dataset and model versions, endpoints and monitors.',
  autoStart: true,
  requires: [ISnapML],
  optional: [ITranslator, ILayoutRestorer, IThemeManager, IEditorLanguageRegistry],
  activate: (
    app: JupyterFrontEnd,
    snapml: ISnapML,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null,
    languages: IEditorLanguageRegistry | null
  ): void => {
    const surroundings = surround(app, snapml, translator ?? nullTranslator, themes, languages);
    const { trans } = surroundings;
    const tracker = new WidgetTracker<PageWidget>({ namespace: 'snapml' });

    app.commands.addCommand(CommandIDs.open, {
      label: trans.__('Open'),
      caption: trans.__('Open the page of this'),
      describedBy: {
        args: {
          type: 'object',
          properties: { ...SUBJECT_SCHEMA.properties, title: { type: 'string' } }
        }
      },
      execute: async args => {
        const subject = subjectOf(app, args);
        const kind = subject?.kind === 'alert' ? 'monitor' : subject?.kind;
        if (subject === undefined || kind === undefined || !PAGE_KINDS.includes(kind)) {
          return;
        }
        // Pages and what they are made of are fetched when the first one is opened.
        const { createPage, pageId } = await import('../pages/widget');
        const open = tracker.find(page => page.id === pageId(kind, subject.ref));
        const page = open ?? createPage(surroundings, kind, subject.ref);
        if (open === undefined) {
          if (typeof args.title === 'string') {
            page.title.label = args.title;
          }
          page.title.changed.connect(() => void tracker.save(page));
          void tracker.add(page);
          app.shell.add(page, 'main', { type: trans.__('SnapML') });
        }
        app.shell.activateById(page.id);
      }
    });
    app.commands.addCommand(CommandIDs.copyReference, {
      label: trans.__('Copy Reference'),
      caption: trans.__('Copy the reference that magics and Python take'),
      describedBy: { args: SUBJECT_SCHEMA },
      execute: args => {
        const subject = subjectOf(app, args);
        if (subject !== undefined) {
          Clipboard.copyToSystem(subject.ref);
        }
      }
    });

    if (restorer !== null) {
      void restorer.restore(tracker, {
        command: CommandIDs.open,
        // A page that is restored behind another one does not read its title before it is shown.
        args: page => ({
          kind: page.content.kind,
          ref: page.content.reference,
          title: page.title.label
        }),
        name: page => page.id
      });
    }
  }
};
