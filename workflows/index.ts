import { setWorkflowOptions } from '@temporalio/workflow';
import { payment } from './payment';
import { ride } from './ride';

// Each ends on the code that it began with, whatever is deployed meanwhile.
setWorkflowOptions({ versioningBehavior: 'PINNED' }, ride);
setWorkflowOptions({ versioningBehavior: 'PINNED' }, payment);

export { payment, ride };
