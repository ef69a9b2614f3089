import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IThemeManager } from '@jupyterlab/apputils';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { ITranslator } from '@jupyterlab/translation';
import type { ISurroundings } from '../parts/surroundings';
import type { ISnapML } from '../tokens';

/** Name of the translation catalogue. */
export const DOMAIN = 'snapml_jupyter';

/** What the components of a plugin need, from what Lab gave it. */
export function surround(
  app: JupyterFrontEnd,
  snapml: ISnapML,
  translator: ITranslator,
  themes: IThemeManager | null = null,
  languages: IEditorLanguageRegistry | null = null
): ISurroundings {
  return {
    snapml,
    commands: app.commands,
    trans: translator.load(DOMAIN),
    themeChanged: themes?.themeChanged,
    highlight:
      languages === null
        ? undefined
        : (code, language, node) => languages.highlight(code, languages.findByName(language), node)
  };
}
