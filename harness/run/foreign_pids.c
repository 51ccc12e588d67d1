/* The shim records pids as its process sees them, and of most records only the process that wrote
 * them says where that is. */
#include "harness/run/foreign_pids.h"

#include "harness/trace/processes.h"

/* 0: ours, or not known. */
static uint32_t namespace_of(const struct foreign_pids *foreign, uint64_t serial) {
    uint32_t inode = map_get(&foreign->namespace_of, serial);
    return inode == MAP_NONE ? 0 : inode;
}

void foreign_pids_learn(struct foreign_pids *foreign, const struct trace_record *record) {
    const struct pw_process *identity = record->identity;
    if (identity == NULL || record->source != PW_SOURCE_SHIM)
        return;
    if (record->kind == PW_KIND_PROCESS_START && identity->pid_namespace != 0 &&
        identity->pid_namespace < MAP_NONE && identity->pid_namespace != foreign->own_namespace)
        map_put(&foreign->namespace_of, record->process, (uint32_t)identity->pid_namespace);
    uint32_t parents = record->kind == PW_KIND_FORK ? namespace_of(foreign, record->process) : 0;
    if (parents != 0 && namespace_of(foreign, identity->serial) == 0)
        map_put(&foreign->namespace_of, identity->serial, parents);
}

uint32_t foreign_pids_number(struct foreign_pids *foreign, uint64_t pid_namespace, uint32_t pid) {
    if (pid == 0 || pid_namespace == 0 || pid_namespace == foreign->own_namespace)
        return pid;
    uint64_t key = processes_pid_key(pid_namespace, pid);
    uint32_t here = map_get(&foreign->hosts, key);
    if (here != MAP_NONE)
        return here;
    uint32_t number = map_get(&foreign->numbers, key);
    if (number != MAP_NONE)
        return FOREIGN_PID + number;
    number = (uint32_t)foreign->numbers.used;
    map_put(&foreign->numbers, key, number);
    return FOREIGN_PID + number;
}

void foreign_pids_met(struct foreign_pids *foreign, uint64_t pid_namespace, uint32_t pid,
                      uint32_t here) {
    map_put(&foreign->hosts, processes_pid_key(pid_namespace, pid), here);
}

uint32_t foreign_pids_of(struct foreign_pids *foreign, const struct trace_record *record) {
    uint64_t inode = record->kind == PW_KIND_PROCESS_START ? record->identity->pid_namespace
                                                           : namespace_of(foreign, record->process);
    return foreign_pids_number(foreign, inode, record->identity->pid);
}

void foreign_pids_free(struct foreign_pids *foreign) {
    map_free(&foreign->namespace_of);
    map_free(&foreign->numbers);
    map_free(&foreign->hosts);
}
