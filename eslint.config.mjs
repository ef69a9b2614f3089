import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import hooks from 'eslint-plugin-react-hooks';
import typescript from 'typescript-eslint';

export default typescript.config(
  { ignores: ['labextension/lib/**', 'labextension/src/api/types.ts', '**/*.cjs', '**/*.css'] },
  ...typescript.configs.recommended,
  { plugins: { jupyter } },
  ...jupyter.configs.recommended,
  {
    files: ['labextension/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      // The sidebar is drawn and its questions are asked at start; pages, dialogs and charts are loaded on demand.
      'jupyter/prefer-lazy-imports': ['warn', { ignoreImports: ['../live/*', '../sidebar/*'] }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none' }],
      eqeqeq: 'error',
      'prefer-const': 'error'
    }
  },
  prettier
);
