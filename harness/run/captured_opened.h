/* The programs that processes run, each open for as long as its lines may be asked for. */
#ifndef PORTWITNESS_RUN_CAPTURED_OPENED_H
#define PORTWITNESS_RUN_CAPTURED_OPENED_H

#include <stdint.h>

struct captured_process;
struct captured_processes;

/* Opens the program that it runs by now, in place of the one that was open. */
void captured_opened_open(struct captured_processes *processes, struct captured_process *process);
void captured_opened_close(struct captured_process *process);

/* The process with that pid has ended; captured_processes_forget_ended closes its program. */
void captured_opened_end(struct captured_processes *processes, uint32_t pid);

#endif
