import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ISnapML } from '../tokens';
import { surround } from './surround';

export const cardsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'snapml-jupyter:cards',
  description:
    'The card below a recorded cell, live while it runs, and the badge that names its run.',
  autoStart: true,
  requires: [ISnapML, IRenderMimeRegistry],
  optional: [INotebookTracker, ITranslator],
  activate: async (
    app: JupyterFrontEnd,
    snapml: ISnapML,
    rendermime: IRenderMimeRegistry,
    notebooks: INotebookTracker | null,
    translator: ITranslator | null
  ): Promise<void> => {
    // Waited for: a notebook that Lab restores must find the renderer.
    const [{ keepBadges }, { cardFactory }] = await Promise.all([
      import('../card/badges'),
      import('../card/renderer')
    ]);
    const surroundings = surround(app, snapml, translator ?? nullTranslator);
    const kernelAround = (node: HTMLElement) =>
      notebooks?.find(panel => panel.node.contains(node))?.sessionContext.session?.kernel ?? null;
    rendermime.addFactory(cardFactory(surroundings, kernelAround));
    notebooks?.forEach(panel => keepBadges(panel, surroundings));
    notebooks?.widgetAdded.connect((_, panel) => keepBadges(panel, surroundings));
  }
};
