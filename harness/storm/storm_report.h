/* What a storm came to, as a table or as JSON. */
#ifndef PORTWITNESS_STORM_STORM_REPORT_H
#define PORTWITNESS_STORM_STORM_REPORT_H

#include "harness/storm/rounds.h"

/* What the results have in common. */
struct storm_report {
    const struct storm_plan *plan;
    const struct storm_result *results;
    unsigned count;
    uint32_t background;
    unsigned left_out; /* SCTP mappings that the kernel does not offer */
};

/* Writes the table, and below it what needs words. */
void storm_report_table(const struct storm_report *report);

/* Writes one JSON object. */
void storm_report_json(const struct storm_report *report);

/* A progress bar on standard error, if that is a terminal. */
void storm_report_progress(const struct strategy *strategy, uint32_t round, uint32_t rounds);

#endif
