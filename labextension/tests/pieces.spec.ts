import { nullTranslator } from '@jupyterlab/translation';
import { magicOf, steps } from '../src/dialogs/deploy';
import { currentDeployment, exampleRow, typedValue } from '../src/pages/deployments';
import { heatLevel } from '../src/pages/heat-map';
import { cellFor, variableFor } from '../src/plugins/cells';
import { shortLocation } from '../src/sidebar/header';
import { VERSION } from '../src/version';
import { makeDeployment, makeDrift, makeEndpoint, makeModel, SIGNATURE } from './records';
import { version } from '../../package.json';

const trans = nullTranslator.load('snapml_jupyter');

test('the version is that of the package', () => {
  expect(VERSION).toBe(version);
});

test('a cell for each kind, with a variable named like the data', () => {
  expect(cellFor('dataset', 'late-flights@v3')).toBe(
    'import snapml_jupyter as snap\n\nlate_flights = snap.dataset("late-flights@v3").to_pandas()\nlate_flights.head()'
  );
  expect(cellFor('monitor', 'flights')).toBe('%snap_monitor flights');
  expect(variableFor('2013 flights@v1')).toBe('data_2013_flights');
});

test('a workspace is named by the folder it belongs to', () => {
  expect(shortLocation('/home/ada/flights/.snapml')).toBe('flights');
  expect(shortLocation('C:\\work\\ml')).toBe('ml');
  expect(shortLocation('https://hub.example.org/services/snapml')).toBe('hub.example.org');
});

const plan = (fields: object) => ({
  version: makeModel(),
  host: { running: true } as never,
  endpoints: [],
  ...fields
});

test('a first deployment says that it exports, starts the host and makes a key', () => {
  const said = steps(plan({ host: { running: false } }), 'flights', trans).join(' ');
  expect(said).toMatch(/exported to ONNX/);
  expect(said).toMatch(/host of this workspace is started/);
  expect(said).toMatch(/API key is made/);
});

test('a later deployment says what it replaces and makes no new key', () => {
  const next = makeModel({ ref: 'flights:5', onnx_digest: 'o' });
  const said = steps(plan({ version: next, endpoints: [makeEndpoint()] }), 'flights', trans);
  expect(said).toEqual([
    'flights:4 goes on answering at flights until flights:5 has answered a test request, then flights:5 takes over.'
  ]);
});

test('the magic that deploys names the endpoint only when it differs', () => {
  expect(magicOf(makeModel(), 'flights')).toBe('%snap_deploy flights:4');
  expect(magicOf(makeModel(), 'other')).toBe('%snap_deploy flights:4 --endpoint other');
});

test('the deployment that answers is the live one, else the newest', () => {
  const live = makeDeployment({ number: 1 });
  const failed = makeDeployment({ number: 2, status: 'failed' });
  expect(currentDeployment(makeEndpoint({ deployments: [live, failed] }))).toBe(live);
  expect(currentDeployment(makeEndpoint({ deployments: [failed] }))).toBe(failed);
  const canary = { ...live, number: live.number + 1, arm: 'challenger' as const };
  expect(currentDeployment(makeEndpoint({ deployments: [live, canary] }))).toBe(live);
  expect(currentDeployment(makeEndpoint({ deployments: [] }))).toBeUndefined();
});

test('what is typed gets the type of its column; wrong text is left to the endpoint to refuse', () => {
  const [carrier, distance, temp, weekend] = SIGNATURE.inputs;
  expect(typedValue(carrier, '7')).toBe('7');
  expect(typedValue(distance, '1400')).toBe(1400);
  expect(typedValue(distance, 'far')).toBe('far');
  expect(typedValue(temp, '')).toBeNull();
  expect(typedValue(weekend, 'false')).toBe(false);
  expect(exampleRow(SIGNATURE)).toEqual({
    carrier: 'UA',
    distance: 1400,
    temp: null,
    weekend: true
  });
});

test('heat is by the score over the threshold, and beyond it only when the verdict says so', () => {
  expect(heatLevel(makeDrift({ score: 0.01 }))).toBe(0);
  expect(heatLevel(makeDrift({ score: 0.09 }))).toBe(2);
  expect(heatLevel(makeDrift({ score: 0.5 }))).toBe(2);
  expect(heatLevel(makeDrift({ score: 0.15, drifted: true, status: 'drifted' }))).toBe(3);
  expect(heatLevel(makeDrift({ score: 'inf', drifted: true, status: 'drifted' }))).toBe(5);
  expect(heatLevel(makeDrift({ score: null, status: 'not_enough_data' }))).toBeNull();
});
