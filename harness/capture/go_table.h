/* The table by which a Go program knows its own functions, files and lines (runtime.pclntab): the
 * linker always writes it, also where symbols and DWARF were left out. Sources of the formats:
 * src/runtime/symtab.go, src/runtime/runtime2.go and src/debug/gosym/pclntab.go of Go 1.2 to 1.27.
 */
#ifndef PORTWITNESS_CAPTURE_GO_TABLE_H
#define PORTWITNESS_CAPTURE_GO_TABLE_H

#include "harness/capture/elf_image.h"

/* By the release that began with it. */
enum go_format { GO_FORMAT_NONE, GO_FORMAT_1_2, GO_FORMAT_1_16, GO_FORMAT_1_18, GO_FORMAT_1_20 };

struct go_table {
    struct elf_image image;
    enum go_format format;
    unsigned quantum;     /* bytes of the shortest instruction */
    uint64_t count;       /* of functions */
    uint64_t text;        /* address as linked that functions are counted from; 0 before 1.18 */
    uint64_t inline_base; /* address that inline trees are counted from, 0: not known */
    /* Offsets in the file. */
    uint64_t begin;
    uint64_t end;       /* of the segment that it lies in */
    uint64_t index;     /* pairs of where a function begins and where its description is */
    uint64_t functions; /* where descriptions are counted from */
    uint64_t names;
    uint64_t units; /* files of each compilation unit; 0 before 1.16 */
    uint64_t files;
    uint64_t values; /* lines, files and inlined calls by program counter */
    uint64_t budget; /* bytes of values that may still be read */
};

/* Finds the table of a program, whose file stays open and the caller's. false where there is none,
 * or none that can be read: a position independent program of Go 1.16 or 1.17 has it filled only
 * when it is started. */
bool go_table_open(struct go_table *table, int file);

/* Frees what the table holds. */
void go_table_close(struct go_table *table);

/* Little endian, 0 where they are not there. */
uint32_t go_table_word(struct go_table *table, uint64_t offset);
uint64_t go_table_long(struct go_table *table, uint64_t offset);

#endif
