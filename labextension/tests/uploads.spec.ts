import { ServerConnection } from '@jupyterlab/services';
import type { Server } from 'http';
import { createServer } from 'http';
import type { AddressInfo } from 'net';
import { SnapMLClient } from '../src/api/client';
import { FileUpload, PIECE_BYTES } from '../src/api/uploads';

const SIZE = 2 * PIECE_BYTES + 1000;
const content = new Uint8Array(SIZE).map((_, i) => i % 251);

// A server that keeps what it is sent as the real one does, and can break the connection in the middle of a piece.
let server: Server;
let client: SnapMLClient;
let kept: Buffer;
let begun: number;
let breaks: number;
let refusal: { status: number; body: object } | null;
const memory = new Map<string, string>();
const storage = {
  getItem: (key: string) => memory.get(key) ?? null,
  setItem: (key: string, value: string) => void memory.set(key, value),
  removeItem: (key: string) => void memory.delete(key)
};

beforeEach(async () => {
  kept = Buffer.alloc(0);
  begun = 0;
  breaks = 0;
  refusal = null;
  memory.clear();
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://x');
    const say = (status: number, body: object) => {
      response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' });
      response.end(JSON.stringify(body));
    };
    const state = () => ({ upload_id: 'u1', filename: 'a.csv', size: SIZE, received: kept.length });
    let body = Buffer.alloc(0);
    request.on('data', piece => {
      body = Buffer.concat([body, piece]);
      if (request.method === 'PUT' && breaks > 0 && body.length > 100_000) {
        breaks -= 1;
        kept = Buffer.concat([kept, body.subarray(0, 100_000)]);
        request.socket.destroy();
      }
    });
    request.on('end', () => {
      if (refusal !== null) {
        return say(refusal.status, refusal.body);
      }
      if (request.method === 'POST' && url.pathname.endsWith('/uploads')) {
        begun += 1;
        return say(201, state());
      }
      if (request.method === 'PUT') {
        if (Number(url.searchParams.get('offset')) !== kept.length) {
          return say(409, { error: 'conflict', message: 'elsewhere' });
        }
        kept = Buffer.concat([kept, body]);
      }
      if (request.method === 'POST') {
        return say(200, { ref: 'a@v1', ...JSON.parse(body.toString()) });
      }
      say(200, state());
    });
  });
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}/`;
  client = new SnapMLClient(ServerConnection.makeSettings({ baseUrl, fetch, Request, Headers }));
});

afterEach(() => new Promise(done => server.close(done)));

// Of node, since the one of jsdom cannot be sent by node's fetch.
const file = () => {
  const { Blob: NodeBlob } = jest.requireActual<{ Blob: typeof Blob }>('buffer');
  return Object.assign(new NodeBlob([content]), { name: 'a.csv', lastModified: 1 }) as File;
};
const make = () => new FileUpload(client, file(), storage, async () => undefined);

test('a file arrives whole, a piece at a time', async () => {
  const upload = make();
  const seen: number[] = [];
  upload.changed.connect(() => seen.push(upload.received));
  await expect(upload.run()).resolves.toBe(true);
  expect(kept.equals(Buffer.from(content))).toBe(true);
  expect([...new Set(seen)]).toEqual([0, PIECE_BYTES, 2 * PIECE_BYTES, SIZE]);
  await expect(upload.finish('a', null)).resolves.toMatchObject({ ref: 'a@v1', name: 'a' });
  expect(memory.size).toBe(0);
});

test('a broken connection costs only what the server had not kept', async () => {
  breaks = 3;
  await expect(make().run()).resolves.toBe(true);
  expect(kept.equals(Buffer.from(content))).toBe(true);
});

test('the same file goes on where it was, after the page was loaded again', async () => {
  const first = make();
  first.changed.connect(() => {
    if (first.received >= PIECE_BYTES) {
      first.pause();
    }
  });
  void first.run();
  while (first.state !== 'paused') {
    await new Promise(done => setTimeout(done, 5));
  }
  const had = kept.length;
  await expect(make().run()).resolves.toBe(true);
  expect(had).toBeGreaterThanOrEqual(PIECE_BYTES);
  expect(begun).toBe(1);
  expect(kept.equals(Buffer.from(content))).toBe(true);
});

test('what trying again cannot help is told at once, and a person may go on', async () => {
  const upload = make();
  const done = upload.run();
  while (upload.received === 0) {
    await new Promise(wait => setTimeout(wait, 1));
  }
  refusal = { status: 403, body: { error: 'permission_denied', message: 'You may only read.' } };
  while (upload.state !== 'broken') {
    await new Promise(wait => setTimeout(wait, 5));
  }
  expect(upload.error).toMatchObject({ message: 'You may only read.' });
  refusal = null;
  upload.resume();
  await expect(done).resolves.toBe(true);
  expect(kept.equals(Buffer.from(content))).toBe(true);
});

test('cancelled, it ends and leaves nothing to go on with', async () => {
  const upload = make();
  upload.changed.connect(() => {
    if (upload.received > 0 && upload.state === 'sending') {
      void upload.cancel();
    }
  });
  await expect(upload.run()).resolves.toBe(false);
  expect(memory.size).toBe(0);
});
