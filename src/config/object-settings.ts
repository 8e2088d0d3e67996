import { boolean, duration, objectPrefix, optionalText, optionalUrl, size } from './parse.ts';
import { setting } from './setting.ts';

const hour = 3_600_000;

/** The settings of the writers s3 and gcs. */
export const objectSettings = {
  s3Bucket: setting({
    variable: 'S3_BUCKET',
    group: 's3',
    default: '',
    parse: optionalText,
    placeholder: 'name',
    meaning: 'The bucket that the writer s3 writes to',
  }),
  s3Prefix: setting({
    variable: 'S3_PREFIX',
    group: 's3',
    default: 'frostbeat/',
    parse: objectPrefix,
    placeholder: 'text',
    meaning: 'What the names of objects begin with',
  }),
  s3Region: setting({
    variable: 'S3_REGION',
    group: 's3',
    default: '',
    parse: optionalText,
    placeholder: 'name',
    meaning: "The bucket's region; without it AWS_REGION, or the profile's",
  }),
  s3Endpoint: setting({
    variable: 'S3_ENDPOINT',
    group: 's3',
    default: '',
    parse: optionalUrl,
    placeholder: 'url',
    meaning: "A server other than Amazon's",
  }),
  s3PathStyle: setting({
    variable: 'S3_PATH_STYLE',
    group: 's3',
    default: 'false',
    parse: boolean,
    placeholder: 'true|false',
    meaning: "The bucket's name in the path and not in the host's name",
  }),
  s3ObjectSize: setting({
    variable: 'S3_OBJECT_SIZE',
    group: 's3',
    default: '8MiB',
    parse: size(1, 64 * 2 ** 20),
    placeholder: 'size',
    meaning: 'Records in an object, before they are compressed',
  }),
  s3ObjectAgeMs: setting({
    variable: 'S3_OBJECT_AGE',
    group: 's3',
    default: '1m',
    parse: duration(1, hour),
    placeholder: 'duration',
    meaning: 'Longest that a record waits for its object to be full',
  }),
  gcsBucket: setting({
    variable: 'GCS_BUCKET',
    group: 'gcs',
    default: '',
    parse: optionalText,
    placeholder: 'name',
    meaning: 'The bucket that the writer gcs writes to',
  }),
  gcsPrefix: setting({
    variable: 'GCS_PREFIX',
    group: 'gcs',
    default: 'frostbeat/',
    parse: objectPrefix,
    placeholder: 'text',
    meaning: 'What the names of objects begin with',
  }),
  gcsEndpoint: setting({
    variable: 'GCS_ENDPOINT',
    group: 'gcs',
    default: '',
    parse: optionalUrl,
    placeholder: 'url',
    meaning: "A server other than Google's; it is asked without credentials",
  }),
  gcsObjectSize: setting({
    variable: 'GCS_OBJECT_SIZE',
    group: 'gcs',
    default: '8MiB',
    parse: size(1, 64 * 2 ** 20),
    placeholder: 'size',
    meaning: 'Records in an object, before they are compressed',
  }),
  gcsObjectAgeMs: setting({
    variable: 'GCS_OBJECT_AGE',
    group: 'gcs',
    default: '1m',
    parse: duration(1, hour),
    placeholder: 'duration',
    meaning: 'Longest that a record waits for its object to be full',
  }),
};
