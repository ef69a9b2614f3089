import { nullTranslator } from '@jupyterlab/translation';
import { errorOf, sentence, SnapMLError, VersionsDifferError } from '../src/api/errors';

const trans = nullTranslator.load('snapml_jupyter');
const body = (error: string, message: string) => JSON.stringify({ error, message });

test("a 404 in our shape is the server's sentence", () => {
  const error = errorOf(404, body('not_found', "There is no run 'x'."));
  expect(error.kind).toBe('failed');
  expect(sentence(error, trans)).toBe("There is no run 'x'.");
});

test('a 404 of Jupyter itself means that the server part is missing', () => {
  for (const answer of ['<html>404</html>', '', '{"message": "Not Found", "reason": null}']) {
    const error = errorOf(404, answer);
    expect(error.kind).toBe('server-missing');
    expect(sentence(error, trans)).toMatch(/Install snapml-jupyter/);
  }
});

test('no right, host stopped and other failures are told apart', () => {
  expect(errorOf(403, body('permission_denied', 'You may not.')).kind).toBe('no-right');
  expect(errorOf(503, body('unavailable', 'The host is not running.')).kind).toBe('host-stopped');
  expect(errorOf(503, body('unavailable', 'The database is locked.')).kind).toBe('failed');
  expect(errorOf(500, 'boom').kind).toBe('failed');
  expect(sentence(errorOf(500, 'boom'), trans)).toBe('HTTP 500');
});

test('each kind of problem has a sentence that says what to do', () => {
  expect(sentence(new VersionsDifferError('0.1.0', '0.2.0'), trans)).toMatch(
    /0\.1\.0.*0\.2\.0.*reload/
  );
  expect(sentence(new SnapMLError('unreachable'), trans)).toMatch(/does not answer/);
  expect(sentence(new SnapMLError('no-right'), trans)).toMatch(/administrator/);
  expect(sentence(new Error('plain'), trans)).toBe('plain');
});
