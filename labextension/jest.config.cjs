// JupyterLab's packages are ES modules; jest runs CommonJS, so they are compiled on the way in.
const esModules = [
  '@codemirror',
  '@jupyter',
  '@jupyterlab',
  '@lezer',
  '@lumino',
  '@marijn',
  '@microsoft',
  'lib0',
  'exenv-es6',
  'nanoid',
  'style-mod',
  'vscode-ws-jsonrpc',
  'y-protocols',
  'y-websocket',
  'yjs'
].join('|');

module.exports = {
  rootDir: __dirname,
  testEnvironment: '<rootDir>/tests/environment.cjs',
  // Only a failure waits that long; uploads hash megabytes in plain JavaScript, which a busy machine does slowly.
  testTimeout: 30_000,
  testMatch: ['<rootDir>/tests/**/*.spec.ts?(x)'],
  moduleNameMapper: {
    '\\.(css|svg)$': '<rootDir>/tests/asset.cjs'
  },
  transform: {
    '\\.[jt]sx?$': [
      'ts-jest',
      {
        tsconfig: {
          ...require('./tsconfig.json').compilerOptions,
          module: 'commonjs',
          allowJs: true,
          incremental: false,
          tsBuildInfoFile: undefined,
          declaration: false
        },
        diagnostics: false
      }
    ]
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esModules})/)`]
};
