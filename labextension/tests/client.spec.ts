import { ServerConnection } from '@jupyterlab/services';
import type { Server } from 'http';
import { createServer } from 'http';
import type { AddressInfo } from 'net';
import { SnapMLClient } from '../src/api/client';
import { VERSION } from '../src/version';

interface IRequest {
  method: string;
  path: string;
  body: string;
  key: string | undefined;
}

// A server over real HTTP that gives the answer a test wants and remembers what it was asked.
let server: Server;
let answer: { status: number; body: string };
let asked: IRequest[];
let client: SnapMLClient;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', piece => (body += piece));
    request.on('end', () => {
      const key = request.headers['x-snapml-key'];
      asked.push({ method: request.method!, path: request.url!, body, key: key as string });
      response.writeHead(answer.status, {
        'Content-Type': 'application/json',
        Connection: 'close'
      });
      response.end(answer.body);
    });
  });
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}/user/ada/`;
  client = new SnapMLClient(ServerConnection.makeSettings({ baseUrl, fetch, Request, Headers }));
});

afterEach(() => new Promise(done => server.close(done)));

const says = (status: number, body: unknown) => {
  answer = { status, body: typeof body === 'string' ? body : JSON.stringify(body) };
};

test("an operation is a POST below the server's base URL, also under a Hub's prefix", async () => {
  says(200, []);
  await expect(client.call('runs.list_runs', { limit: 5 })).resolves.toEqual([]);
  expect(asked[0].method).toBe('POST');
  expect(asked[0].path).toMatch(/^\/user\/ada\/snapml\/api\/runs\.list_runs/);
  expect(JSON.parse(asked[0].body)).toEqual({ limit: 5 });
});

test('a refusal becomes an error with the sentence of the server', async () => {
  says(404, { error: 'not_found', message: "There is no run 'x'." });
  await expect(client.call('runs.get_run', { ref: 'x' })).rejects.toMatchObject({
    kind: 'failed',
    code: 'not_found',
    message: "There is no run 'x'."
  });
});

test('a Jupyter server that does not know our addresses has no server part', async () => {
  says(404, '<html><title>404</title></html>');
  await expect(client.whoami()).rejects.toMatchObject({ kind: 'server-missing' });
});

test('a server that does not answer is told as such', async () => {
  const settings = { baseUrl: 'http://127.0.0.1:9/', fetch, Request, Headers };
  const nobody = new SnapMLClient(ServerConnection.makeSettings(settings));
  await expect(nobody.call('runs.list_runs')).rejects.toMatchObject({ kind: 'unreachable' });
});

test('a server of another version is refused, one of the same taken', async () => {
  const session = { actor: 'ada', workspace: '/home/ada/.snapml' };
  says(200, { ...session, version: '9.9.9' });
  await expect(client.whoami()).rejects.toMatchObject({ page: VERSION, server: '9.9.9' });
  says(200, { ...session, version: VERSION });
  await expect(client.whoami()).resolves.toMatchObject({ actor: 'ada' });
});

test('rows go to an endpoint with the key, and what it refuses is an answer, not an error', async () => {
  says(401, { error: 'no_key', message: 'Show a key.' });
  const refused = await client.predict('a/b c', 'secret', [{ x: 1 }]);
  expect(refused.status).toBe(401);
  expect(JSON.parse(refused.body).message).toBe('Show a key.');
  expect(asked[0].path).toMatch(/^\/user\/ada\/snapml\/endpoints\/a%2Fb%20c\/predict/);
  expect(asked[0].key).toBe('secret');
  expect(JSON.parse(asked[0].body)).toEqual({ rows: [{ x: 1 }] });
});
