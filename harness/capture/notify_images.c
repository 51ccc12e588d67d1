/*
 * The kernel writes the auxiliary vector of a process when it executes a program, and never again;
 * a fork has its parent's. It says where the program was loaded and where on its stack 16 random
 * bytes and the file's name lie, which differs by program, arguments and chance. No file there is
 * read in less time. To be notified of each execve(2) instead would not say whether the program
 * came to run, and would make all programs below wait for us.
 *
 * Without address space randomization a program that executes itself with arguments of the same
 * length cannot be told from before.
 */
#include "harness/capture/notify_images.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/system/process_facts.h"
#include "shim/shared/raw_file.h"

struct notify_image {
    uint64_t sign; /* of the program; 0: not known */
    uint64_t answered_ns;
};

/* FNV-1a over words; 0: it may not be read. */
static uint64_t sign_of(uint32_t pid) {
    char path[40];
    Elf64_auxv_t vector[64];
    uint64_t sign = UINT64_C(0xcbf29ce484222325);
    snprintf(path, sizeof path, "/proc/%u/auxv", pid);
    size_t count = raw_file_read(path, (char *)vector, sizeof vector) / sizeof *vector;
    for (size_t i = 0; i < count && vector[i].a_type != AT_NULL; i++)
        sign = (sign ^ vector[i].a_type ^ vector[i].a_un.a_val << 8) * UINT64_C(0x100000001b3);
    return count > 0 ? sign | 1 : 0;
}

static struct notify_image *find(const struct notify_images *images, uint32_t pid) {
    uint32_t index = map_get(&images->by_pid, pid);
    return index != MAP_NONE ? &images->list[index] : NULL;
}

static struct notify_image *add(struct notify_images *images, uint32_t pid) {
    uint32_t index = (uint32_t)images->count++;
    images->list = memory_grow(images->list, &images->room, images->count, sizeof *images->list);
    images->list[index] = (struct notify_image){0};
    map_put(&images->by_pid, pid, index);
    return &images->list[index];
}

/* The process waits for its answer, so all is there. */
static void read_process(uint32_t pid, struct outside_process *process) {
    struct process_facts facts;
    char path[40];
    *process = (struct outside_process){.pid = pid};
    if (process_facts_read((pid_t)pid, &facts)) {
        process->parent = (uint32_t)facts.parent;
        process->start_time = facts.start_time;
        memcpy(process->comm, facts.comm, sizeof process->comm - 1);
    }
    snprintf(path, sizeof path, "/proc/%u/cmdline", pid);
    process->length = (uint16_t)raw_file_read(path, process->arguments, sizeof process->arguments);
    snprintf(path, sizeof path, "/proc/%u/exe", pid);
    if (readlink(path, process->path, sizeof process->path) == (ssize_t)sizeof process->path)
        process->path[0] = '\0'; /* it may be longer */
}

static bool differs(const struct notify_image *before, uint64_t sign) {
    return before != NULL && before->sign != 0 && sign != 0 && before->sign != sign;
}

/* `before`: what ran there until then, NULL where it was not executed as far as is known. */
static void report(const struct notify_image *before, const struct outside_event *call,
                   const struct outside_process *process, outside_take *take, void *with) {
    struct outside_event event = {.kind = before != NULL ? OUTSIDE_EXEC : OUTSIDE_PROCESS,
                                  .source = PW_SOURCE_SUPERVISOR,
                                  .begin_ns =
                                      before != NULL ? before->answered_ns + 1 : call->begin_ns,
                                  .end_ns = call->begin_ns,
                                  .pid = call->pid,
                                  .thread = call->thread,
                                  .uid = call->uid,
                                  .descriptor = -1,
                                  .process = process};
    memcpy(event.comm, process->comm, sizeof event.comm);
    take(with, &event);
}

void notify_images_look(struct notify_images *images, const struct outside_event *call,
                        outside_take *take, void *with) {
    struct outside_process process;
    struct notify_image *image = find(images, call->pid);
    uint64_t sign = sign_of(call->pid);
    if (image != NULL && !differs(image, sign))
        return;
    read_process(call->pid, &process);
    const struct notify_image *before = image != NULL ? image : find(images, process.parent);
    /* The shim may be in the parent, or nothing that it does is notified: then its program of now.
     */
    if (before == NULL) {
        const struct notify_image parent = {.sign = sign_of(process.parent)};
        process.kind = differs(&parent, sign) ? OUTSIDE_EXEC : OUTSIDE_PROCESS;
    }
    report(differs(before, sign) ? before : NULL, call, &process, take, with);
    if (image == NULL)
        image = add(images, call->pid);
    image->sign = sign;
    image->answered_ns = call->begin_ns;
}

void notify_images_answered(struct notify_images *images, uint32_t pid, uint64_t ns) {
    struct notify_image *image = find(images, pid);
    if (image != NULL)
        image->answered_ns = ns;
}

void notify_images_free(struct notify_images *images) {
    map_free(&images->by_pid);
    free(images->list);
    *images = (struct notify_images){0};
}
