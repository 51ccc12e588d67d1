/*
 * dlsym does that, and waits for the loader's lock: another thread may hold it that is just loading
 * a library whose constructor waits for us. It also sees only what was loaded for all, and
 * launchers load a virtual machine for themselves. So the module's own table is searched, where it
 * is mapped.
 */
#include "shim/process/module_symbol.h"

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shim/process/module_map.h"

enum { HIDDEN = 0x8000 }; /* of a version: not the default one */

/* What the dynamic section says of the symbols. */
struct symbols {
    const ElfW(Sym) * table;
    const char *names;
    const uint32_t *hash; /* the GNU form: all that Linux's linkers write */
    const uint16_t *versions;
};

static const void *at(uint64_t address) { return (const void *)(uintptr_t)address; }

/* What is to be added to the addresses in the file, and its dynamic section. */
static const ElfW(Dyn) * find_dynamic(uint64_t begin, uint64_t *bias) {
    const ElfW(Ehdr) *header = at(begin);
    const ElfW(Phdr) *segments = at(begin + header->e_phoff);
    const ElfW(Phdr) *dynamic = NULL;
    *bias = begin;
    for (unsigned i = header->e_phnum; i-- > 0;) {
        if (segments[i].p_type == PT_DYNAMIC)
            dynamic = &segments[i];
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
            *bias = begin - segments[i].p_vaddr;
    }
    return dynamic != NULL ? at(*bias + dynamic->p_vaddr) : NULL;
}

/* Some loaders have added the bias to what stands in the section, some have not. */
static const void *resolved(uint64_t value, uint64_t begin, uint64_t bias) {
    return at(value >= begin ? value : value + bias);
}

static bool read_dynamic(const ElfW(Dyn) * entry, uint64_t begin, uint64_t bias, bool versions,
                         struct symbols *found) {
    bool is_whole = false; /* versions come last */
    *found = (struct symbols){0};
    for (; entry != NULL && entry->d_tag != DT_NULL && !is_whole; entry++) {
        const void *value = resolved(entry->d_un.d_ptr, begin, bias);
        if (entry->d_tag == DT_SYMTAB)
            found->table = value;
        else if (entry->d_tag == DT_STRTAB)
            found->names = value;
        else if (entry->d_tag == DT_GNU_HASH)
            found->hash = value;
        else if (entry->d_tag == DT_VERSYM)
            found->versions = value;
        is_whole = !versions && found->table != NULL && found->names != NULL && found->hash != NULL;
    }
    return found->table != NULL && found->names != NULL && found->hash != NULL;
}

static bool find_symbols(uint64_t begin, uint64_t *bias, struct symbols *found) {
    const ElfW(Ehdr) *header = at(begin);
    *bias = 0;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return false;
    const ElfW(Dyn) *dynamic = find_dynamic(begin, bias);
    return read_dynamic(dynamic, begin, *bias, false, found);
}

static uint32_t hash_name(const char *name) {
    uint32_t hash = 5381;
    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

/* Two bits of the filter are set for each name that there is. */
static bool may_have(const struct symbols *symbols, uint32_t wanted) {
    const uint64_t *filter = (const void *)(symbols->hash + 4);
    uint64_t word = filter[(wanted / 64) & (symbols->hash[2] - 1)];
    return (word >> (wanted % 64) & word >> ((wanted >> symbols->hash[3]) % 64) & 1) != 0;
}

/* Buckets, the index of the first symbol in them, words of the filter, its shift; then the filter's
 * words of 64 bits, the buckets, and the chains, whose last entry is odd. Of several versions of a
 * name those that are hidden are passed over, if `visible` is asked for. */
static const ElfW(Sym) *
    look_up(const struct symbols *symbols, const char *name, uint32_t wanted, bool visible) {
    uint32_t buckets = symbols->hash[0];
    uint32_t first = symbols->hash[1];
    const uint32_t *bucket = symbols->hash + 4 + (size_t)symbols->hash[2] * 2;
    const uint32_t *chain = bucket + buckets;
    if (buckets == 0 || !may_have(symbols, wanted))
        return NULL;
    uint32_t index = bucket[wanted % buckets];
    if (index < first)
        return NULL;
    for (;; index++) {
        const ElfW(Sym) *symbol = &symbols->table[index];
        uint32_t hash = chain[index - first];
        bool counts =
            !visible || symbols->versions == NULL || (symbols->versions[index] & HIDDEN) == 0;
        if ((hash | 1) == (wanted | 1) && counts &&
            strcmp(symbols->names + symbol->st_name, name) == 0)
            return symbol;
        if ((hash & 1) != 0)
            return NULL;
    }
}

/* `type` is STT_FUNC or STT_OBJECT. */
static void *find(const struct symbols *symbols, uint64_t bias, const char *name, int type) {
    const ElfW(Sym) *symbol = look_up(symbols, name, hash_name(name), false);
    if (symbol == NULL || symbol->st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol->st_info) != type)
        return NULL;
    return (void *)(uintptr_t)(bias + symbol->st_value);
}

void *module_symbol(const char *file, const char *name) {
    struct symbols symbols;
    uint64_t bias;
    uint64_t begin = module_begin(file);
    if (begin == 0 || !find_symbols(begin, &bias, &symbols))
        return NULL;
    return find(&symbols, bias, name, STT_FUNC);
}

static void *find_started(const char *name, int type) {
    struct symbols symbols;
    void *found = NULL;
    for (const struct link_map *map = _r_debug.r_map; found == NULL && map != NULL;
         map = map->l_next)
        if (read_dynamic(map->l_ld, map->l_addr, map->l_addr, false, &symbols))
            found = find(&symbols, map->l_addr, name, type);
    return found;
}

void *started_symbol(const char *name) { return find_started(name, STT_FUNC); }

void *started_variable(const char *name) { return find_started(name, STT_OBJECT); }

/* This library's own place; the linker knows. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

/* false where a module cannot be searched, or there are too many. */
static bool read_behind(struct modules_behind *behind) {
    const struct link_map *map = _r_debug.r_map;
    struct symbols symbols;
    while (map != NULL && map->l_addr != (uintptr_t)__ehdr_start)
        map = map->l_next;
    if (map == NULL)
        return false;
    for (map = map->l_next; map != NULL; map = map->l_next) {
        if (behind->count == MODULES_BEHIND_MOST ||
            !read_dynamic(map->l_ld, map->l_addr, map->l_addr, true, &symbols))
            return false;
        behind->module[behind->count].table = symbols.table;
        behind->module[behind->count].names = symbols.names;
        behind->module[behind->count].hash = symbols.hash;
        behind->module[behind->count].versions = symbols.versions;
        behind->module[behind->count++].bias = map->l_addr;
    }
    return true;
}

void *next_symbol(struct modules_behind *behind, const char *name) {
    uint32_t wanted = hash_name(name);
    if (!behind->is_read && !read_behind(behind))
        behind->count = 0;
    behind->is_read = true;
    for (unsigned i = 0; i < behind->count; i++) {
        const struct symbols symbols = {behind->module[i].table, behind->module[i].names,
                                        behind->module[i].hash, behind->module[i].versions};
        const ElfW(Sym) *symbol = look_up(&symbols, name, wanted, true);
        if (symbol == NULL || symbol->st_shndx == SHN_UNDEF)
            continue;
        return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC
                   ? (void *)(behind->module[i].bias + symbol->st_value)
                   : NULL;
    }
    return NULL;
}
