/* A number in a module helps nobody; elfutils' libdwfl knows where debug information may lie. Each
 * module is opened once and stays open, since findings come from few places. */
#include "harness/check/source_line.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/check/symbol_name.h"

struct opened {
    char *path;
    Dwfl *session;
    Dwfl_Module *module; /* NULL: cannot be read */
};

struct source_lines {
    struct opened *list;
    size_t count;
    size_t room;
    char *name; /* of the function that was found last, where it was made for it */
};

static char *no_extra_path = NULL;

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &no_extra_path,
};

struct source_lines *source_lines_make(void) {
    return memory_zeroed(1, sizeof(struct source_lines));
}

/* The name comes from a trace: a FIFO of that name would be waited for, a device read for ever. */
static int open_regular(const char *path) {
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0 || (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0))
        return file;
    close(file);
    return -1;
}

static const struct opened *open_module(struct source_lines *lines, const char *path) {
    for (size_t i = 0; i < lines->count; i++)
        if (strcmp(lines->list[i].path, path) == 0)
            return &lines->list[i];
    lines->list = memory_grow(lines->list, &lines->room, lines->count + 1, sizeof *lines->list);
    struct opened *opened = &lines->list[lines->count++];
    *opened =
        (struct opened){.path = memory_copy(path, strlen(path)), .session = dwfl_begin(&callbacks)};
    int file = opened->session != NULL ? open_regular(path) : -1;
    if (file < 0)
        return opened;
    dwfl_report_begin(opened->session);
    opened->module = dwfl_report_offline(opened->session, path, path, file);
    if (opened->module == NULL)
        close(file);
    dwfl_report_end(opened->session, NULL, NULL);
    return opened;
}

/* Has the file been replaced since it ran? Without a build id on both sides that is not known. */
static bool is_another(Dwfl_Module *module, const struct module *ran) {
    const unsigned char *id;
    GElf_Addr address;
    int length = dwfl_module_build_id(module, &id, &address);
    return length > 0 && ran != NULL && ran->build_id_length > 0 &&
           (length != ran->build_id_length || memcmp(id, ran->build_id, (size_t)length) != 0);
}

/* From an offset in the file to an address as libdwfl counts. false if no segment holds it. */
static bool to_address(Dwfl_Module *module, uint64_t offset, Dwarf_Addr *address) {
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(module, &bias);
    size_t count;
    if (elf == NULL || elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(elf, (int)i, &segment) == NULL || segment.p_type != PT_LOAD ||
            offset < segment.p_offset || offset >= segment.p_offset + segment.p_filesz)
            continue;
        *address = offset - segment.p_offset + segment.p_vaddr + bias;
        return true;
    }
    return false;
}

/* A function's name as the linker has it, where that says more: in C++ the class and the types. */
static const char *linkage_name(Dwarf_Die *function) {
    Dwarf_Attribute attribute;
    return dwarf_formstring(dwarf_attr_integrate(function, DW_AT_linkage_name, &attribute));
}

/* Both names of the innermost function at the address, inlined ones included. */
static const char *function_by_scopes(Dwfl_Module *module, Dwarf_Addr address,
                                      const char **linked) {
    Dwarf_Addr bias;
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, &bias);
    Dwarf_Die *scopes = NULL;
    const char *name = NULL;
    if (unit == NULL)
        return NULL;
    int count = dwarf_getscopes(unit, address - bias, &scopes);
    for (int i = 0; i < count && name == NULL; i++) {
        int tag = dwarf_tag(&scopes[i]);
        if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine)
            continue;
        name = dwarf_diename(&scopes[i]);
        *linked = linkage_name(&scopes[i]);
    }
    free(scopes);
    return name;
}

/* Returns the function's name for the linker. */
static const char *find_in(Dwfl_Module *module, Dwarf_Addr address, struct source_line *found) {
    Dwfl_Line *line = dwfl_module_getsrc(module, address);
    const char *linked = NULL;
    GElf_Off beyond = 0;
    GElf_Sym symbol;
    if (line != NULL)
        found->file = dwfl_lineinfo(line, NULL, &found->line, NULL, NULL, NULL);
    found->function = function_by_scopes(module, address, &linked);
    if (found->function != NULL)
        return linked;
    found->function = dwfl_module_addrinfo(module, address, &beyond, &symbol, NULL, NULL, NULL);
    found->beyond = beyond;
    return found->function;
}

static void name_in_language(struct source_lines *lines, const char *linked,
                             struct source_line *found) {
    free(lines->name);
    lines->name = symbol_name(linked);
    if (lines->name != NULL)
        found->function = lines->name;
}

struct source_line source_lines_find(struct source_lines *lines, const struct site *site) {
    struct source_line found = {0};
    Dwarf_Addr address;
    if (site->module == NULL || site->module[0] != '/' || site->offset == 0)
        return found;
    const struct opened *opened = open_module(lines, site->module);
    if (opened->module == NULL)
        return found;
    found.changed = is_another(opened->module, site->entry);
    if (!found.changed && to_address(opened->module, site->offset - 1, &address))
        name_in_language(lines, find_in(opened->module, address, &found), &found);
    return found;
}

void source_lines_free(struct source_lines *lines) {
    if (lines == NULL)
        return;
    for (size_t i = 0; i < lines->count; i++) {
        dwfl_end(lines->list[i].session);
        free(lines->list[i].path);
    }
    free(lines->list);
    free(lines->name);
    free(lines);
}
