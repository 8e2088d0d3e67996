import { describe, expect, it } from 'vitest';
import { ByteBuffer } from '../../src/writers/byte-buffer.ts';
import { addDocument, recordOf, timestampOf } from '../../src/writers/search-document.ts';
import { indexOf } from '../../src/writers/search-index.ts';
import { record } from '../support/records.ts';

function documentOf(content: string | Buffer, fields: 'record' | 'ecs' = 'record'): Buffer {
  const target = new ByteBuffer();
  target.add('before ');
  addDocument(target, record(content), { fields, kubernetes: true, storedAt: 5 });
  return Buffer.from(target.bytes().subarray('before '.length));
}

const known =
  '"frostbeat":{"id":"0123456789abcdef-000000000000","unixNano":1700000000123456789,"storedAt":5}';

describe('a document', () => {
  it('is the record, and what is added at its end, which can be taken away again', () => {
    const text = '{"traceId":"t1", "n": 12345678901234567890.0,"ü":"}"}';
    const document = documentOf(text);
    expect(document.toString()).toBe(
      `${text.slice(0, -1)},"@timestamp":"2023-11-14T22:13:20.123456789Z",${known}}`,
    );
    expect(recordOf(document, undefined).toString()).toBe(text);
  });

  it('has the members of the record where it has some of these names itself', () => {
    expect(documentOf('{"traceId":"t1","@timestamp":"mine"}').toString()).toBe(
      `{"traceId":"t1","@timestamp":"mine",${known}}`,
    );
    expect(documentOf('{"a":{"@timestamp":1},"frostbeat":2}').toString()).toBe(
      '{"a":{"@timestamp":1},"frostbeat":2,"@timestamp":"2023-11-14T22:13:20.123456789Z"}',
    );
  });

  it('is valid UTF-8 on one line, whatever the record is', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('",\n"b":1}')]);
    expect(documentOf(bytes).toString()).toMatch(/^\{"a":"\ufffd", "b":1,"@timestamp"/);
  });

  it('has the names of the Elastic Common Schema, and the record as it was', () => {
    const text = '{"traceId":"t1","msg":"hello","severity":"WARN","service":"shop"}';
    const document = documentOf(text, 'ecs');
    expect(JSON.parse(document.toString())).toEqual({
      '@timestamp': '2023-11-14T22:13:20.123456789Z',
      ecs: { version: '8.11.0' },
      trace: { id: 't1' },
      log: { level: 'WARN' },
      message: 'hello',
      service: { name: 'shop' },
      host: { name: 'n1' },
      kubernetes: {
        namespace: 'ns',
        pod: { name: 'pod' },
        container: { name: 'main' },
        node: { name: 'n1' },
      },
      frostbeat: {
        id: '0123456789abcdef-000000000000',
        unixNano: Number('1700000000123456789'),
        storedAt: 5,
        record: JSON.parse(text) as object,
      },
    });
    expect(document.includes(text)).toBe(true);
  });
});

it('times keep their nanoseconds', () => {
  expect(timestampOf('0')).toBe('1970-01-01T00:00:00.000000000Z');
  expect(timestampOf('1700000000000000001')).toBe('2023-11-14T22:13:20.000000001Z');
});

it('the index of a record is that of its day in UTC', () => {
  expect(indexOf('logs-{date}', '1700000000123456789')).toBe('logs-2023.11.14');
  expect(indexOf('logs-{date}', '1699919999999999999')).toBe('logs-2023.11.13');
  expect(indexOf('logs', '1700000000123456789')).toBe('logs');
});
