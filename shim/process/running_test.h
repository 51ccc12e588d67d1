/* The test that runs, as test runners leave its name in the environment. */
#ifndef PORTWITNESS_PROCESS_RUNNING_TEST_H
#define PORTWITNESS_PROCESS_RUNNING_TEST_H

#include <stdbool.h>
#include <stdint.h>

/* Records its name, if there is one, for the record with this number: always, or with `if_changed`
 * only where the name is another than the process recorded last. */
void running_test_record(uint64_t record, bool if_changed);

#endif
