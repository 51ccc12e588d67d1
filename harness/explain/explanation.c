/* Where the kernel chooses a port, the sequence goes on with the one that it chose or, without a
 * kernel, with the lowest that it might have. */
#include "harness/explain/explanation.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/json_line.h"
#include "harness/base/memory.h"
#include "harness/base/names.h"
#include "harness/explain/kernel_player.h"
#include "harness/model/model.h"
#include "harness/system/network.h"

enum { RANGE_LOW = 32768, RANGE_HIGH = 60999, COLUMN = 34, SHOWN_MAX = 8 };

void explanation_begin(struct explanation *explanation) { *explanation = (struct explanation){0}; }

bool explanation_add(struct explanation *explanation, const char *text,
                     struct operation_problem *problem) {
    struct operation operation;
    bool none;
    if (!operation_read(text, &explanation->names, &operation, &none, problem))
        return false;
    if (none)
        return true;
    explanation->list = memory_grow(explanation->list, &explanation->room, explanation->count + 1,
                                    sizeof *explanation->list);
    explanation->texts = memory_grow(explanation->texts, &explanation->text_room,
                                     explanation->count + 1, sizeof *explanation->texts);
    explanation->texts[explanation->count] = memory_copy(text, strlen(text));
    explanation->list[explanation->count++] = operation;
    return true;
}

static bool is_loopback(const struct model_address *address) {
    static const uint8_t none[16];
    static const uint8_t one[16] = {[15] = 1};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (!address->family6)
        return address->bytes[0] == 127 || memcmp(address->bytes, none, 4) == 0;
    return memcmp(address->bytes, one, 16) == 0 || memcmp(address->bytes, none, 16) == 0 ||
           (memcmp(address->bytes, mapped, 12) == 0 &&
            (address->bytes[12] == 127 || memcmp(address->bytes + 12, none, 4) == 0));
}

/* The address as the host has it: a mapped one is of IPv4. */
static struct model_address host_address(const struct model_address *address) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct model_address v4 = {.family6 = false};
    if (!address->family6 || memcmp(address->bytes, mapped, 12) != 0)
        return *address;
    memcpy(v4.bytes, address->bytes + 12, 4);
    return v4;
}

static bool run(const char *const *words) {
    pid_t pid;
    int status;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1 /* O_WRONLY */, 0);
    int error =
        posix_spawnp(&pid, words[0], &actions, NULL, (char *const *)(uintptr_t)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        errno = error;
        return false;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    errno = ENOTSUP;
    return status == 0;
}

/* A device that is nowhere connected; the end of a cable where the kernel has no dummy ones. */
static bool make_device(const char *name, unsigned number) {
    char peer[24];
    snprintf(peer, sizeof peer, "peer%u", number);
    return run((const char *[]){"ip", "link", "add", name, "type", "dummy", NULL}) ||
           run((const char *[]){"ip", "link", "add", name, "type", "veth", "peer", "name", peer,
                                NULL});
}

const char *explanation_enter_network(const struct explanation *explanation) {
    const char *problem = network_make_private(RANGE_LOW, RANGE_HIGH);
    if (problem != NULL)
        return problem;
    if (!kernel_player_keep_time_wait())
        return "tcp_tw_reuse cannot be switched off";
    for (unsigned i = 0; i < explanation->names.devices; i++)
        if (!make_device(explanation->names.device[i], i))
            return "a device cannot be made";
    for (size_t i = 0; i < explanation->count; i++) {
        const struct operation *operation = &explanation->list[i];
        char text[INET6_ADDRSTRLEN + 8];
        if (operation->kind != OPERATION_BIND || is_loopback(&operation->address))
            continue;
        const struct model_address address = host_address(&operation->address);
        inet_ntop(address.family6 ? AF_INET6 : AF_INET, address.bytes, text, INET6_ADDRSTRLEN);
        strcat(text, address.family6 ? "/128" : "/32");
        (void)run((const char *[]){"ip", "addr", "add", text, "dev", "lo",
                                   address.family6 ? "nodad" : NULL, NULL});
    }
    return NULL;
}

static void begin_model(const struct explanation *explanation, struct model *model) {
    model_begin(model, RANGE_LOW, RANGE_HIGH);
    for (size_t i = 0; i < explanation->count; i++) {
        const struct model_address address = host_address(&explanation->list[i].address);
        if (explanation->list[i].kind == OPERATION_BIND)
            model_add_address(model, &address, 0);
    }
}

static const char *result_of(int error) {
    const char *name = name_of_error((unsigned)error);
    return error == 0 ? "ok" : name != NULL ? name : "?";
}

struct step {
    struct model_answer answer;
    uint16_t port; /* with which it goes on */
    bool kernel;
    int kernel_error;
    uint16_t kernel_port;
    bool differs;
    bool took_over; /* the model's other answer: what follows cannot be compared */
};

static bool is_possible(const struct model_answer *answer, uint16_t port) {
    for (size_t i = 0; i < answer->possible_count; i++)
        if (answer->possible[i] == port)
            return true;
    return false;
}

static struct step take_step(struct model *model, struct kernel_player *player,
                             const struct operation *operation) {
    struct step step = {.answer = model_apply(model, operation), .kernel = player != NULL};
    if (step.answer.possible_count > 0)
        step.port = step.answer.possible[0];
    for (size_t i = 1; i < step.answer.possible_count; i++)
        if (step.answer.possible[i] < step.port)
            step.port = step.answer.possible[i];
    bool found_none = false;
    if (player != NULL) {
        step.kernel_error = kernel_player_apply(player, operation, &step.kernel_port);
        found_none = step.answer.may_fail && step.kernel_error != step.answer.error &&
                     step.kernel_error == model_found_none(model, operation);
        step.differs =
            !found_none && (step.kernel_error != step.answer.error ||
                            (step.answer.chooses && !is_possible(&step.answer, step.kernel_port)));
        step.took_over = step.answer.may_take_over && step.kernel_error == 0;
        if (step.took_over)
            step.differs = false;
        if (step.answer.chooses && !step.differs)
            step.port = step.kernel_port;
    }
    if (step.answer.chooses && !found_none && step.port != 0)
        model_chose(model, operation, step.port);
    return step;
}

static void write_line(const char *text, const struct step *step, FILE *to) {
    const struct model_answer *answer = &step->answer;
    fprintf(to, "%-*s %s", COLUMN, text, result_of(answer->error));
    if (answer->chooses) {
        fprintf(to, ", one of %zu port%s", answer->possible_count,
                answer->possible_count == 1 ? "" : "s");
        for (size_t i = 0; answer->possible_count <= SHOWN_MAX && i < answer->possible_count; i++)
            fprintf(to, "%s%u", i == 0 ? ": " : ", ", answer->possible[i]);
        if (answer->may_fail)
            fputs(", or none", to);
        if (answer->possible_count > 1)
            fprintf(to, "; here %u", step->port);
    }
    if (answer->may_take_over)
        fputs(", or ok once the other end has acknowledged the close", to);
    if (answer->rule != RULE_NONE)
        fprintf(to, " (%s: %s)", model_rule_name(answer->rule), model_rule_words(answer->rule));
    if (step->kernel && step->differs)
        fprintf(to, " DIFFERS: the kernel says %s, port %u", result_of(step->kernel_error),
                step->kernel_port);
    else if (step->kernel)
        fprintf(to, "; the kernel: %s", result_of(step->kernel_error));
    fputc('\n', to);
}

static json_t *step_json(const char *text, const struct step *step) {
    const struct model_answer *answer = &step->answer;
    json_t *object = json_object();
    json_object_set_new(object, "operation", json_text_or_null(text));
    json_object_set_new(object, "result", json_string(result_of(answer->error)));
    json_object_set_new(object, "rule",
                        answer->rule != RULE_NONE ? json_string(model_rule_name(answer->rule))
                                                  : json_null());
    json_object_set_new(object, "words",
                        answer->rule != RULE_NONE ? json_string(model_rule_words(answer->rule))
                                                  : json_null());
    json_t *ports = answer->chooses ? json_array() : json_null();
    for (size_t i = 0; answer->chooses && i < answer->possible_count; i++)
        json_array_append_new(ports, json_integer(answer->possible[i]));
    json_object_set_new(object, "ports", ports);
    json_object_set_new(object, "may_fail", json_boolean(answer->may_fail));
    json_object_set_new(object, "may_take_over", json_boolean(answer->may_take_over));
    json_object_set_new(object, "port", json_number_or_null(step->port));
    json_object_set_new(object, "kernel",
                        step->kernel ? json_string(result_of(step->kernel_error)) : json_null());
    json_object_set_new(object, "kernel_port",
                        json_number_or_null(step->kernel ? step->kernel_port : 0));
    json_object_set_new(object, "differs",
                        step->kernel ? json_boolean(step->differs) : json_null());
    return object;
}

bool explanation_write(const struct explanation *explanation, bool kernel, bool json, FILE *to) {
    struct model model;
    struct kernel_player player;
    json_t *answers = json_array();
    bool agree = true;
    bool apart = false;
    begin_model(explanation, &model);
    kernel_player_begin(&player, &explanation->names);
    for (size_t i = 0; i < explanation->count; i++) {
        struct step step = take_step(&model, kernel ? &player : NULL, &explanation->list[i]);
        step.differs = step.differs && !apart;
        apart = apart || step.took_over;
        agree = agree && !step.differs;
        if (json)
            json_array_append_new(answers, step_json(explanation->texts[i], &step));
        else
            write_line(explanation->texts[i], &step, to);
        model_answer_free(&step.answer);
    }
    if (json) {
        json_t *object = json_object();
        json_object_set(object, "answers", answers);
        json_dumpf(object, to, JSON_COMPACT);
        fputc('\n', to);
        json_decref(object);
    }
    json_decref(answers);
    kernel_player_end(&player);
    model_end(&model);
    return agree;
}

void explanation_free(struct explanation *explanation) {
    for (size_t i = 0; i < explanation->count; i++)
        free(explanation->texts[i]);
    free(explanation->texts);
    free(explanation->list);
    explanation_begin(explanation);
}
