import { startOpenSearch } from '../support/servers/opensearch.ts';
import { searchSuite } from './search-suite.ts';

searchSuite('opensearch', () => startOpenSearch());
