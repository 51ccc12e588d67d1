/* A program that is refused 8080 and takes 8081 has coped. One that is refused 8080 in one thread,
 * or over TCP, and binds something else in another thread, or over UDP, has not. */
#include "harness/check/recovery.h"

#include "harness/check/machine.h"
#include "harness/trace/record_frames.h"

/* Whoever looks for a free number tries the next one at once. */
#define STEP_NS UINT64_C(100000000)

/* Functions are seldom longer. */
enum { NEAR_BYTES = 4096 };

/* Whoever helps himself in another function does so in the same file. */
bool recovery_is_near(uint64_t one, uint64_t other) {
    if (place_is_of_frame(one) || place_is_of_frame(other))
        return places_share_file(one, other) || place_is_of_frame(one) != place_is_of_frame(other);
    uint64_t distance = one > other ? one - other : other - one;
    return one == 0 || other == 0 || distance <= NEAR_BYTES;
}

static uint64_t key_of(uint64_t process, uint32_t thread) {
    return process * UINT64_C(0x9e3779b97f4a7c15) ^ thread;
}

/* Does the thread go on from that number to the next one, looking for one that is free? */
static bool is_step(const struct history *history, uint32_t before, uint32_t after) {
    const struct binding *one = &history->bindings.list[before];
    const struct binding *other = &history->bindings.list[after];
    int distance = other->requested_port - one->requested_port;
    return (distance == 1 || distance == -1) && other->type == one->type &&
           other->begin_ns < history->requests[before].end_ns + STEP_NS &&
           recovery_is_near(history->requests[before].place, history->requests[after].place);
}

void recovery_wait(struct history *history, uint32_t index) {
    struct request *request = &history->requests[index];
    uint64_t key = key_of(history->bindings.list[index].process, request->thread);
    uint32_t before = map_get(&history->waiting, key);
    if (before != MAP_NONE && before != 0) {
        request->next_waiting = before - 1;
        history->requests[before - 1].is_step = is_step(history, before - 1, index);
    }
    map_put(&history->waiting, key, index + 1);
}

void recovery_wait_for_listen(struct history *history, uint32_t index) {
    const struct failed_listen *listen = &history->failed_listens[index];
    map_put(&history->listens_waiting, key_of(listen->call.process, listen->thread), index + 1);
}

static struct call success_of(const struct trace_record *record) {
    struct call call = machine_call(record);
    call.endpoint = history_record_endpoint(record, true);
    call.requested_port = record->socket->requested_port;
    return call;
}

/* Those that were refused one soon after the other: one attempt of the program. */
static void end_binds(struct history *history, uint64_t key, const struct call *success) {
    uint32_t waiting = map_get(&history->waiting, key);
    uint64_t next_ns = success->begin_ns;
    if (waiting == MAP_NONE || waiting == 0)
        return;
    map_put(&history->waiting, key, 0);
    for (uint32_t i = waiting - 1; i != MAP_NONE; i = history->requests[i].next_waiting) {
        struct request *request = &history->requests[i];
        if (request->end_ns + RECOVERY_NS < next_ns)
            return;
        next_ns = history->bindings.list[i].begin_ns;
        if (history_endpoint(history, i).protocol == success->endpoint.protocol &&
            recovery_is_near(request->place, success->place))
            request->instead = *success;
    }
}

static void end_listen(struct history *history, uint64_t key, const struct call *success) {
    uint32_t waiting = map_get(&history->listens_waiting, key);
    if (waiting == MAP_NONE || waiting == 0)
        return;
    map_put(&history->listens_waiting, key, 0);
    struct failed_listen *listen = &history->failed_listens[waiting - 1];
    if (listen->call.end_ns + RECOVERY_NS >= success->begin_ns &&
        listen->call.endpoint.protocol == success->endpoint.protocol)
        listen->instead = *success;
}

void recovery_end(struct history *history, const struct trace_record *record) {
    if (record->socket == NULL)
        return;
    const struct call success = success_of(record);
    uint64_t key = key_of(record->process, record->thread);
    end_binds(history, key, &success);
    end_listen(history, key, &success);
}
