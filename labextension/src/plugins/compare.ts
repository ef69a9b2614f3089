import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { sentence } from '../api/errors';
import { CommandIDs, comparisonOf, ISnapML } from '../tokens';
import { SUBJECT_SCHEMA, subjectOf } from './subject';
import { surround } from './surround';

export const comparePlugin: JupyterFrontEndPlugin<void> = {
  id: 'snapml-jupyter:compare',
  description: 'Chooses runs and opens the page that compares them.',
  autoStart: true,
  requires: [ISnapML],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, snapml: ISnapML, translator: ITranslator | null): void => {
    const surroundings = surround(app, snapml, translator ?? nullTranslator);
    const { trans } = surroundings;
    app.commands.addCommand(CommandIDs.compare, {
      label: trans.__('Compare…'),
      caption: trans.__('Put runs side by side'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            ...SUBJECT_SCHEMA.properties,
            refs: {
              type: 'array',
              items: { type: 'string' },
              description: 'Runs to compare; with fewer than two, more are asked for'
            },
            ask: { type: 'boolean', description: 'Ask for the runs, with these chosen already' }
          }
        }
      },
      execute: async args => {
        const named = Array.isArray(args.refs)
          ? args.refs.filter((ref): ref is string => typeof ref === 'string')
          : undefined;
        const subject = named === undefined ? subjectOf(app, args) : undefined;
        let refs = named ?? (subject?.kind === 'run' ? [subject.ref] : []);
        if (refs.length < 2 || args.ask === true) {
          try {
            const { pickRuns } = await import('../dialogs/pick-runs');
            refs = await pickRuns(refs, surroundings);
          } catch (error) {
            await showErrorMessage(trans.__('Runs cannot be chosen'), sentence(error, trans));
            return;
          }
        }
        if (refs.length >= 2) {
          await app.commands.execute(CommandIDs.open, {
            kind: 'comparison',
            ref: comparisonOf(refs)
          });
        }
      }
    });
  }
};
