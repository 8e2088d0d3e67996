/** What the agent runs with: every setting of the table in README.md, parsed and checked. */
export interface Config {
  /** Most records in a batch: 1 to 10,000. */
  readonly batchSize: number;
  /** Longest wait before a batch is written, in milliseconds. */
  readonly batchPeriodMs: number;
  /** Namespaces to watch; undefined is all of them. */
  readonly namespaces: readonly string[] | undefined;
  /** Label selector in the API's grammar; empty selects all pods. */
  readonly selector: string;
  /** Patterns of the names of containers to follow, with * and ?; empty selects all. */
  readonly containers: readonly string[];
  /** Patterns of the names of containers to leave out. */
  readonly excludeContainers: readonly string[];
  /** etcd endpoints as URLs, at least one. */
  readonly etcdServers: readonly string[];
  /** Life of keys in etcd in milliseconds; 0 keeps them for ever. */
  readonly ttlMs: number;
  /** Never empty with podSource `kubernetes`. */
  readonly nodeName: string;
  readonly podSource: 'kubernetes' | 'directory';
  /** Names of writers, or paths or names of modules; at least one, none twice. */
  readonly writers: readonly string[];
  /** Absolute. */
  readonly podLogDir: string;
  /** Directories, beside podLogDir, that a symlink to a log file may lead into; absolute. */
  readonly logRoots: readonly string[];
  /** Bytes of deleted files that may be held open until they are read. */
  readonly maxHeldBytes: number;
  /** The kubelet's containerLogMaxSize, in bytes, and containerLogMaxFiles: when it deletes what is unread. */
  readonly kubeletLogMaxSize: number;
  readonly kubeletLogMaxFiles: number;
  /** Between two reports of the node, in milliseconds. */
  readonly nodeReportPeriodMs: number;
  /** Without a report for so many milliseconds the agent counts as silent; more than twice the period. */
  readonly nodeLeaseMs: number;
  /** From one canary to the next, in milliseconds; 0 is off. */
  readonly canaryIntervalMs: number;
  /** A canary that has not come back after so many milliseconds is lost; more than the batch period. */
  readonly canaryTimeoutMs: number;
  /** Tell one skipped line for each container and reason on the status page. */
  readonly showSkippedLines: boolean;
  /** Most containers that have series of their own in the metrics. */
  readonly metricsContainers: number;
  /** Absolute. */
  readonly stateDir: string;
  /** 0 is off. */
  readonly httpPort: number;
  readonly kubernetesMetadata: boolean;
  readonly maxInFlight: number;
  readonly maxRecordBytes: number;
  readonly shutdownTimeoutMs: number;
  /** How far beyond its last record all nodes must be before a trace counts as complete, in milliseconds. */
  readonly traceGraceMs: number;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly etcd: EtcdAccess;
  readonly file: FileDestination;
  readonly elasticsearch: SearchAccess;
  readonly opensearch: SearchAccess;
  readonly s3: S3Destination;
  readonly gcs: ObjectDestination;
  readonly kafka: KafkaAccess;
  readonly serve: ServeAccess;
  /** What modules named in WRITERS are given: the environment, with the flags of our settings laid over it. */
  readonly writerOptions: Readonly<Record<string, string | undefined>>;
}

/** How to reach etcd beyond ETCD_SERVERS. Paths, where present, are absolute and were readable at start. */
export interface EtcdAccess {
  /** ETCD_USERNAME. */
  readonly username: string | undefined;
  /** ETCD_PASSWORD. A secret: never in logs, `config`, metrics or errors. */
  readonly password: string | undefined;
  /** ETCD_PASSWORD_FILE; its content, without a final newline, is the password. Excludes ETCD_PASSWORD. */
  readonly passwordFile: string | undefined;
  /** ETCD_CA_FILE: PEM of the authority that signed the server's certificate. */
  readonly caFile: string | undefined;
  /** ETCD_CERT_FILE and ETCD_KEY_FILE: PEM of the client's certificate and key; both or neither. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** How Elasticsearch or OpenSearch is reached and used. Paths are absolute and were readable at start. */
export interface SearchAccess {
  /** …_SERVERS as URLs, at least one. */
  readonly servers: readonly string[];
  /** …_INDEX: the name of a data stream or, with `{date}` in it, of an index a day. */
  readonly index: string;
  /** …_FIELDS: records as they are, or by the names of the Elastic Common Schema. */
  readonly fields: 'record' | 'ecs';
  /** …_TEMPLATE is `install`. */
  readonly installTemplate: boolean;
  readonly username: string | undefined;
  /** A secret, as `apiKey`: never in logs, `config`, metrics or errors. */
  readonly password: string | undefined;
  readonly passwordFile: string | undefined;
  readonly apiKey: string | undefined;
  readonly apiKeyFile: string | undefined;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** How Kafka is reached and used. Paths are absolute and were readable at start. */
export interface KafkaAccess {
  /** KAFKA_BROKERS, `host:port` each, at least one. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly tls: boolean;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Undefined where the brokers ask for no user. */
  readonly saslMechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER' | undefined;
  readonly username: string | undefined;
  /** A secret: never in logs, `config`, metrics or errors. */
  readonly password: string | undefined;
  readonly passwordFile: string | undefined;
  /** The token of OAUTHBEARER, read for each connection: it is renewed while the agent runs. */
  readonly tokenFile: string | undefined;
}

/** Where `frostbeat serve` listens, and to whom it answers. */
export interface ServeAccess {
  /** SERVE_HOST. */
  readonly host: string;
  /** SERVE_USERNAME and SERVE_PASSWORD_FILE: both or neither. */
  readonly username: string | undefined;
  readonly passwordFile: string | undefined;
  /** SERVE_USER_HEADER. */
  readonly userHeader: string | undefined;
}

/** A bucket of objects. */
export interface ObjectDestination {
  /** S3_BUCKET or GCS_BUCKET; empty where it is not set, which the writer does not allow. */
  readonly bucket: string;
  /** S3_PREFIX or GCS_PREFIX. */
  readonly prefix: string;
  /** S3_ENDPOINT or GCS_ENDPOINT. */
  readonly endpoint: string | undefined;
  /** S3_OBJECT_SIZE or GCS_OBJECT_SIZE, in bytes. */
  readonly objectBytes: number;
  /** S3_OBJECT_AGE or GCS_OBJECT_AGE, in milliseconds. */
  readonly objectAgeMs: number;
  /** S3_GZIP_LEVEL or GCS_GZIP_LEVEL: 1 to 9. */
  readonly gzipLevel: number;
}

export interface S3Destination extends ObjectDestination {
  /** S3_REGION. */
  readonly region: string | undefined;
  /** S3_PATH_STYLE. */
  readonly pathStyle: boolean;
}

export interface FileDestination {
  /** FILE_PATH: the NDJSON file the writer `file` appends to; absolute, with {node} and {date} as they are. Default `<STATE_DIR>/records.ndjson`. */
  readonly path: string;
  /** FILE_MAX_SIZE in bytes and FILE_MAX_AGE in milliseconds: when a file is rotated; 0 never. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** FILE_GZIP: files that are written to no more are compressed. */
  readonly gzip: boolean;
  /** FILE_KEEP_AGE in milliseconds and FILE_KEEP_SIZE in bytes: when one is removed; 0 never. */
  readonly keepAgeMs: number;
  readonly keepBytes: number;
}
