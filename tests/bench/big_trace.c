/* Writes a trace of as many records as wanted, for measuring what reads traces: 64 processes that
 * bind port 0, listen, accept and close, and among a thousand such lives one bind-close-rebind.
 *
 *   big_trace FILE RECORDS */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/trace_writer.h"

enum { PROCESSES = 64, LIVE = 8, CLAIM_EVERY = 1000, RANGE_LOW = 32768, RANGE_HIGH = 60999 };

static uint64_t cookies;
static uint64_t random_state = 1;

static uint64_t draw(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

struct life {
    uint64_t cookie;
    unsigned port;
    int descriptor;
};

static void live(uint64_t process, struct life *life) {
    bool claim = draw() % CLAIM_EVERY == 0;
    if (life->cookie != 0)
        close_record(process, life->descriptor, life->cookie);
    life->cookie = ++cookies;
    life->port = (unsigned)(RANGE_LOW + draw() % (RANGE_HIGH - RANGE_LOW + 1));
    socket_record(PW_KIND_BIND, process, life->descriptor, life->cookie, life->port,
                  PW_FLAG_PORT_ZERO | PW_FLAG_HAS_REQUESTED | PW_FLAG_ADDRESS_READ);
    if (claim) {
        close_record(process, life->descriptor, life->cookie);
        life->cookie = ++cookies;
        socket_record(PW_KIND_BIND, process, life->descriptor, life->cookie, life->port,
                      PW_FLAG_BY_NUMBER | PW_FLAG_HAS_REQUESTED);
    }
    socket_record(PW_KIND_LISTEN, process, life->descriptor, life->cookie, life->port,
                  PW_FLAG_LISTENING);
}

int main(int argc, char **argv) {
    static struct life lives[PROCESSES][LIVE];
    uint64_t wanted = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (wanted == 0) {
        fprintf(stderr, "big_trace FILE RECORDS\n");
        return 2;
    }
    open_trace(argv[1]);
    for (uint64_t serial = 1; serial <= PROCESSES; serial++)
        start_process(serial);
    while (records < wanted) {
        uint64_t process = draw() % PROCESSES;
        unsigned place = (unsigned)(draw() % LIVE);
        lives[process][place].descriptor = (int)(3 + place);
        live(process + 1, &lives[process][place]);
    }
    return close_trace(PROCESSES);
}
