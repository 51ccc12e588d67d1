/* A map is recorded once for each process that loads a file. An address may be used for another
 * file later (dlclose, dlopen), so the latest map before the record counts. */
#include "harness/trace/modules.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

#define GENERATIONS_MAX 4096 /* what forked each other further back than that is not searched */

void modules_note(struct modules *modules, const struct trace_record *record) {
    const struct pw_numbers *numbers = record->numbers;
    uint32_t index = (uint32_t)modules->count;

    if (record->kind != PW_KIND_MODULE || numbers == NULL || record->text == NULL)
        return;
    modules->list =
        memory_grow(modules->list, &modules->room, modules->count + 1, sizeof *modules->list);
    modules->list[modules->count++] = (struct module){
        .begin = numbers->number[0],
        .end = numbers->number[1],
        .offset = numbers->number[2],
        .unit = record->unit,
        .path = memory_copy(record->text, record->text_length),
        .next_of_process = map_get(&modules->first_of_process, record->process),
    };
    struct module *module = &modules->list[index];

    if (numbers->code <= sizeof module->build_id) {
        module->build_id_length = (uint8_t)numbers->code;
        memcpy(module->build_id, &numbers->number[3], numbers->code);
    }
    map_put(&modules->first_of_process, record->process, index);
}

static const struct module *find(const struct modules *modules, uint64_t serial, uint64_t address,
                                 uint64_t unit) {
    const struct module *found = NULL;
    uint32_t index = map_get(&modules->first_of_process, serial);

    /* The list begins with the latest. A map recorded only after the record is better than none:
     * the process may have recorded it because of that very record. */
    for (; index != MAP_NONE; index = modules->list[index].next_of_process) {
        const struct module *module = &modules->list[index];

        if (address < module->begin || address >= module->end)
            continue;
        found = module;
        if (module->unit <= unit)
            break;
    }
    return found;
}

struct site modules_site(const struct modules *modules, const struct processes *processes,
                         uint64_t serial, uint64_t address, uint64_t unit) {
    const struct process *process = processes_find(processes, serial);

    for (int generation = 0; generation < GENERATIONS_MAX; generation++) {
        const struct module *module = find(modules, serial, address, unit);

        if (module != NULL)
            return (struct site){module->path, address - module->begin + module->offset, module};
        process = process != NULL ? process_forked_from(processes, process) : NULL;
        if (process == NULL)
            break;
        serial = process->serial;
    }
    return (struct site){NULL, address, NULL};
}

void modules_free(struct modules *modules) {
    for (size_t i = 0; i < modules->count; i++)
        free(modules->list[i].path);
    free(modules->list);
    map_free(&modules->first_of_process);
    *modules = (struct modules){0};
}
