# portwitness. `make` builds the program and the shim into build/; no configure step.
#
#   make [all]      build/portwitness and build/libportwitness.so
#   make test       the tests, without installing anything (scripts/test does that as well)
#   make check-unit the unit tests alone
#   make bench | lint | format | fresh
#   make bench-compare REV=HEAD~1   what a cycle costs with this build and with that of another
#                   revision, by turns, and which is better
#   make help       prints this
#   make compile_commands.json   how each file is compiled, for editors and clang's tools
#   make property   a million operations, the model of bind against the kernel; ten million generated
#                   traces
#   make soak       a million ports in storms, and no collision
#   make races      races for ports against strangers, and none lost under keep
#   make install    into DESTDIR and PREFIX (default /usr/local); make uninstall removes it from there
#   make clean      removes build/
#
#   V=1             show the commands          WERROR=1  warnings are errors
#   CC=clang        another compiler           BUILD=DIR another build folder
#   SANITIZE=address,undefined or SANITIZE=thread: an instrumented build in build/sanitize-...
#
# In a sanitized build the program and the unit tests are instrumented. The shim is not, except for
# undefined behaviour, which traps there: it runs before a sanitizer's runtime has started, in
# processes that have none.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(PREFIX)/share/man
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR ?=
INSTALL ?= install
GO ?= $(or $(shell command -v go),/usr/lib/go-1.19/bin/go)
CLANG_FORMAT ?= $(or $(shell command -v clang-format-14),clang-format)
PKG_CONFIG ?= pkg-config
BUILD ?= build

comma := ,
ifneq ($(SANITIZE),)
override BUILD := $(BUILD)/sanitize-$(subst $(comma),-,$(SANITIZE))
SANITIZE_FLAGS := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
ifneq ($(findstring undefined,$(SANITIZE)),)
SHIM_SANITIZE_FLAGS := -fsanitize=undefined -fsanitize-undefined-trap-on-error
endif
endif

# A sanitizer makes the compiler slow enough.
CFLAGS ?= $(if $(SANITIZE),-O1 -g1,-O2 -g)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wswitch-default
BASE_FLAGS := -std=c11 -D_GNU_SOURCE -I. $(WARNINGS) $(CPPFLAGS) $(CFLAGS)
# Not among the flags that are remembered: a file that compiled without a warning would compile to the
# same. One that did not leaves its warnings beside the object, and is then compiled again.
ifeq ($(WERROR),1)
ERROR_FLAG := -Werror
warned := $(patsubst %.warnings,%,$(shell find $(BUILD) -name '*.warnings' 2>/dev/null))
endif
# compile FLAGS: the command that makes the target of its first prerequisite.
# All in one shell, which starts nothing else: that would take as long as to compile a small file.
compile = warnings=$$($(CC) $(BASE_FLAGS) $(ERROR_FLAG) $(1) -o $@ $< 2>&1); status=$$?; \
	[ ! -e $@.warnings ] || rm -f $@.warnings; \
	[ -z "$$warnings" ] || printf '%s\n' "$$warnings" | tee $@.warnings >&2; exit $$status

HARNESS_PACKAGES := jansson libmnl yaml-0.1 libdw
# The eBPF programs need clang to be compiled and libbpf to be loaded; without these the command is
# built without them, and says so.
EBPF_CLANG ?= clang
EBPF := $(shell $(PKG_CONFIG) --exists 'libbpf >= 1.0' && command -v $(EBPF_CLANG))
ifneq ($(EBPF),)
HARNESS_PACKAGES += libbpf
endif
HARNESS_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(HARNESS_PACKAGES) 2>/dev/null)
HARNESS_LIBS := $(shell $(PKG_CONFIG) --libs $(HARNESS_PACKAGES) 2>/dev/null)
UNIT_LIBS := -lcmocka

# The shim calls nothing but libc, resolves everything when it is loaded, and stays loaded: a lazy
# binding or a dlclose in the middle of a signal handler would be fatal to the guest.
SHIM_FLAGS := -fPIC -fvisibility=hidden -ftls-model=initial-exec -U_FORTIFY_SOURCE $(SHIM_SANITIZE_FLAGS)
SHIM_LDFLAGS := -shared -Wl,-soname,libportwitness.so -Wl,--no-undefined -Wl,--as-needed \
	-Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete -Wl,-z,noexecstack -Wl,--sort-section=name
# Optimised as one program, the wrapper of a bind costs a fiftieth of the call less; clang would need
# a linker of its own for that.
# Sanitized, its frames would grow beyond the stacks that guests run us on.
ifeq ($(SANITIZE)$(findstring clang,$(shell $(CC) --version 2>/dev/null)),)
SHIM_OPTIMIZE := -flto=auto
endif
SHIM_FLAGS += $(SHIM_OPTIMIZE)
SHIM_LDFLAGS += $(SHIM_OPTIMIZE)
# A sanitized program is built to be tested once: to optimise it takes longer than that.
HARNESS_FLAGS := $(HARNESS_CFLAGS) $(SANITIZE_FLAGS) $(if $(SANITIZE),-O0)

shim_sources := $(wildcard shim/*.c shim/*/*.c shim/*.S)
# Written for the shim, linked into the harness as well.
shared_sources := $(wildcard shim/shared/*.c)
# A program of its own, which posix_spawn starts in the place of others.
starter_source := harness/starter/portwitness_exec.c
harness_sources := $(filter-out %.bpf.c $(starter_source),$(wildcard harness/*/*.c harness/*/*/*.c))

shim_objects := $(patsubst %,$(BUILD)/object/%.o,$(patsubst %.c,%,$(shim_sources)))
shared_objects := $(patsubst shim/shared/%.c,$(BUILD)/object/harness/shared/%.o,$(shared_sources))
starter_objects := $(patsubst %.c,$(BUILD)/object/starter/%.o,$(notdir $(starter_source) $(shared_sources)))
harness_objects := $(patsubst %.c,$(BUILD)/object/%.o,$(harness_sources)) $(shared_objects)
unit_sources := $(wildcard tests/unit/*_test.c)
unit_tests := $(patsubst %.c,$(BUILD)/%,$(unit_sources))
unit_objects := $(patsubst %.c,$(BUILD)/object/%.o,$(unit_sources))
static_guests := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/guests/*.static.c))
capture := $(BUILD)/tests/guests/capture
# Programs that the shim cannot enter: one source built in several ways, io_uring, and Go.
go_guests := $(addprefix $(capture)/go/,ports fetch) $(addprefix $(capture)/kind/,pick publish take)
capture_guests := $(addprefix $(capture)/,ports.static ports.musl ports.raw uring)
guests := $(filter-out $(static_guests) $(capture_guests),$(patsubst %.c,$(BUILD)/%,$(wildcard tests/guests/*.c tests/guests/*/*.c)))
property_sources := $(wildcard tests/property/*.c)
property_objects := $(patsubst %.c,$(BUILD)/object/%.o,$(property_sources))
property := $(addprefix $(BUILD)/tests/property/,model_against_kernel generated_traces mutated_traces notify_driver)
benches := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))

# A folder for PYTHONPATH: the plugin for pytest, and what says that it is one.
plugin := $(BUILD)/python/portwitness/pytest.py
python_folder := $(DATADIR)/portwitness/python
plugin_facts := $(addprefix $(BUILD)/python/portwitness_pytest.egg-info/,PKG-INFO entry_points.txt)

# What is loaded from where it is installed.
integrations := bats/portwitness.bash jest/portwitness.cjs node/marks.cjs node-test/portwitness.cjs

ebpf_object := $(BUILD)/object/harness/capture/programs/sockets.bpf.o
ifneq ($(EBPF),)
HARNESS_FLAGS += -DPORTWITNESS_EBPF_OBJECT='"$(ebpf_object)"'
endif

program := $(BUILD)/portwitness
shim := $(BUILD)/libportwitness.so
# The shim looks for it beside itself.
starter := $(BUILD)/portwitness-exec
# What the shim has Node load; it looks for it beside itself.
node_module := $(BUILD)/node/frames.cjs

ifeq ($(V),1)
say =
Q :=
else
empty :=
say = $(info $(empty)  $(1)	$@)
Q := @
endif

needs_build := $(filter-out clean format fresh help uninstall test,$(or $(MAKECMDGOALS),all))
ifneq ($(needs_build),)
ifeq ($(HARNESS_LIBS),)
$(error $(PKG_CONFIG) does not find all of: $(HARNESS_PACKAGES). Run scripts/bootstrap)
endif
# A change of compiler or flags rebuilds everything; an unchanged file leaves everything alone.
flags := $(CC) $(BASE_FLAGS) $(SHIM_FLAGS) $(SHIM_LDFLAGS) $(HARNESS_FLAGS) $(HARNESS_LIBS) $(LDFLAGS)
ifneq ($(strip $(file <$(BUILD)/flags)),$(strip $(flags)))
$(shell mkdir -p $(BUILD))
$(file >$(BUILD)/flags,$(flags))
endif
$(shell mkdir -p $(sort $(dir $(shim) $(BUILD)/shim/ $(shim_objects) $(starter_objects) $(harness_objects) \
	$(unit_objects) $(unit_tests) $(property_objects) $(property) $(guests) $(static_guests) \
	$(capture_guests) $(go_guests) $(benches) $(ebpf_object) $(BUILD)/object/tests/bench/hooks.o)))
endif

all: $(program) $(shim) $(starter) $(plugin) $(plugin_facts) $(node_module)

# Everything that the tests run.
tests: all $(unit_tests) $(property) $(guests) $(static_guests) $(capture_guests) $(go_guests)

$(program): $(harness_objects)
	$(call say,LD)
	$(Q)$(CC) $(SANITIZE_FLAGS) $(CFLAGS) $(LDFLAGS) -o $@.new $^ $(HARNESS_LIBS) -lm
	$(Q)mv -f $@.new $@

$(shim): $(shim_objects) $(BUILD)/shim/exports.map
	$(call say,LD)
	$(Q)$(CC) $(SHIM_SANITIZE_FLAGS) $(CFLAGS) $(LDFLAGS) $(SHIM_LDFLAGS) \
		-Wl,--version-script=$(BUILD)/shim/exports.map -o $@.new $(shim_objects)
	$(Q)mv -f $@.new $@

# Uninstrumented: it is part of a guest.
$(starter): $(starter_objects)
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -o $@.new $^
	$(Q)mv -f $@.new $@

$(BUILD)/object/starter/%.o: shim/shared/%.c $(BUILD)/flags
	$(call say,CC)
	$(Q)$(call compile,-MMD -MP -c)

$(BUILD)/object/starter/%.o: harness/starter/%.c $(BUILD)/flags
	$(call say,CC)
	$(Q)$(call compile,-MMD -MP -c)

$(node_module): integrations/node/frames.cjs
	$(call say,CP)
	$(Q)mkdir -p $(@D) && cp $< $@.new && mv -f $@.new $@

$(plugin): integrations/pytest/portwitness/pytest.py
	$(call say,COPY)
	$(Q)mkdir -p $(@D) && cp $< $@

# Python finds plugins by these files, as pip makes them of pyproject.toml.
$(BUILD)/python/%/PKG-INFO: integrations/pytest/pyproject.toml
	$(call say,GEN)
	$(Q)mkdir -p $(@D) && sed -n -e 's/^name = "\(.*\)"/Metadata-Version: 2.1\nName: \1/p' \
		-e 's/^version = "\(.*\)"/Version: \1/p' $< >$@

$(BUILD)/python/%/entry_points.txt: integrations/pytest/pyproject.toml
	$(call say,GEN)
	$(Q)mkdir -p $(@D) && sed -n -e 's/^\[project.entry-points.\(.*\)\]/[\1]/p' \
		-e 's/^"\(portwitness.pytest\)" = "\(.*\)"/\1 = \2/p' $< >$@

# The export list comes from the list of wrapped calls, and the few names that are the shim's own:
# whatever else there is stays inside.
$(BUILD)/shim/exports.map: shim/shared/calls.def shim/shared/exports.txt $(BUILD)/flags
	$(call say,GEN)
	$(Q){ echo '{ global:'; printf '%s\n' \
		'#define CALL(number, result, name, parameters, arguments) name;' \
		'#define CALL_PLAIN(number, result, name) name;' \
		'#define CALL_VOID(number, name, parameters, arguments) name;' \
		'#define CALL_OWN(number, result, name, parameters) name;' \
		'#include "shim/shared/calls.def"' | $(CC) -E -P -I. -x c - && \
		sed 's/$$/;/' shim/shared/exports.txt && \
		echo 'local: *; };'; } > $@.new && mv $@.new $@

$(BUILD)/object/shim/%.o: shim/%.c $(BUILD)/flags
	$(call say,CC)
	$(Q)$(call compile,$(SHIM_FLAGS) -MMD -MP -c)

$(BUILD)/object/shim/%.S.o: shim/%.S $(BUILD)/flags
	$(call say,AS)
	$(Q)$(call compile,$(SHIM_FLAGS) -MMD -MP -c)

$(BUILD)/object/harness/shared/%.o: shim/shared/%.c $(BUILD)/flags
	$(call say,CC)
	$(Q)$(call compile,$(HARNESS_FLAGS) -MMD -MP -c)

# What checks and is not checked: to optimise the assertions takes five times as long.
$(unit_objects): test_flags := -O0

$(BUILD)/object/%.o: %.c $(BUILD)/flags
	$(call say,CC)
	$(Q)$(call compile,$(HARNESS_FLAGS) $(test_flags) -MMD -MP -c)

# What tests link against: of an archive the linker takes what a test needs, which is far less than all.
harness_archive := $(BUILD)/harness.a
$(harness_archive): $(filter-out %/harness/cli/main.o,$(harness_objects))
# What is linked into both sides. Tests that need no more are built with TSan each time.
shared_archive := $(BUILD)/shared.a
shared_tests := $(patsubst %,$(BUILD)/tests/unit/%_test,clock descriptors keep_ask policy_space recorder)
$(shared_archive): $(shared_objects)
$(harness_archive) $(shared_archive):
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcsT $@ $^

$(filter-out $(shared_tests),$(unit_tests)): $(BUILD)/%: $(BUILD)/object/%.o $(harness_archive)
$(shared_tests): $(BUILD)/%: $(BUILD)/object/%.o $(shared_archive)
$(unit_tests):
	$(call say,LD)
	$(Q)$(CC) $(SANITIZE_FLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(UNIT_LIBS) $(HARNESS_LIBS) -lm

$(BUILD)/tests/property/model_against_kernel: $(filter-out %_traces.o %_world.o %_driver.o,$(property_objects))
$(BUILD)/tests/property/generated_traces: $(patsubst %,$(BUILD)/object/tests/property/generated_%.o,traces world)
$(BUILD)/tests/property/mutated_traces: $(BUILD)/object/tests/property/mutated_traces.o
$(BUILD)/tests/property/notify_driver: $(BUILD)/object/tests/property/notify_driver.o
$(property): $(harness_archive)
	$(call say,LD)
	$(Q)$(CC) $(SANITIZE_FLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(harness_archive) $(HARNESS_LIBS) -lm

# Guests are ordinary programs: no library of ours, no instrumentation.
$(static_guests): guest_flags := -static
$(guests) $(static_guests) $(filter-out %/hooks,$(benches)): $(BUILD)/%: %.c $(BUILD)/flags
	$(call say,CC)
	$(Q)$(call compile,$(guest_flags) -MMD -MP -MF $(BUILD)/$*.d -pthread $(LDFLAGS))

# The kernel's headers are in a folder of the machine's, of which clang for eBPF does not know.
# libbpf wants the types of the maps (BTF), which clang writes with the debug information.
$(ebpf_object): harness/capture/programs/sockets.bpf.c $(BUILD)/flags
	$(call say,EBPF)
	$(Q)$(EBPF_CLANG) -target bpf -O2 -g -ffreestanding -Wall -Wextra $(ERROR_FLAG) -I. \
		-idirafter /usr/include/$$($(CC) -print-multiarch) -MMD -MP -c -o $@ $<
ifneq ($(EBPF),)
$(BUILD)/object/harness/capture/ebpf_programs.o: $(ebpf_object)
endif

$(capture)/ports.static: guest_flags := -static
$(capture)/ports.musl: override CC := musl-gcc
$(capture)/ports.musl: guest_flags := -static
$(capture)/ports.raw: guest_flags := -DRAW_CALLS
$(capture)/uring: guest_flags := -Wl,--no-as-needed -luring
$(filter-out %/uring,$(capture_guests)): tests/guests/capture/ports.c
$(capture)/uring: tests/guests/capture/uring.c
$(capture_guests): $(BUILD)/flags
$(capture_guests):
	$(call say,CC)
	$(Q)$(call compile,$(guest_flags) -MMD -MP -MF $@.d $(LDFLAGS))

# Go keeps what it has compiled for all builds of the tree; nothing is fetched.
go_build = cd $(1) && GOFLAGS=-mod=mod GOPROXY=off GOCACHE=$(CURDIR)/build/go-cache CGO_ENABLED=0 \
	$(GO) build -buildvcs=false -o $(abspath $(@D))/ $(2) && touch $(abspath $@)
$(capture)/go/%: $(wildcard tests/guests/capture/go/*/*.go)
	$(call say,GO)
	$(Q)$(call go_build,tests/guests/capture/go,./$*)

$(capture)/kind/%: tests/guests/capture/kind/%/main.go
	$(call say,GO)
	$(Q)$(call go_build,tests/guests/capture/kind,./$*)

# It loads the eBPF programs itself.
$(BUILD)/tests/bench/hooks: $(BUILD)/object/tests/bench/hooks.o $(harness_archive)
	$(call say,LD)
	$(Q)$(CC) $(SANITIZE_FLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HARNESS_LIBS) -lm

$(warned): again
again: ;

# What make would run, an entry for each file; made again each time, for the flags may have changed.
compile_commands.json: again
	$(call say,GEN)
	$(Q)$(MAKE) --no-print-directory -nB V=1 all tests $(benches) | scripts/compile-commands >$@.new && mv $@.new $@

help:
	@sed -n '/^# *make /,/^$$/s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

check-unit: $(unit_tests)
	@status=0; for unit in $^; do $$unit || status=1; done; exit $$status

test:
	@scripts/test --no-setup

bench: all $(benches) $(static_guests)
	@BUILD=$(BUILD) tests/bench/whole.py
	@BUILD=$(BUILD) scripts/bench
	@BUILD=$(BUILD) tests/bench/notified.py
	@BUILD=$(BUILD) tests/bench/frames.py
	@$(BUILD)/tests/bench/hooks || [ $$? -eq 77 ]
	@BUILD=$(BUILD) tests/bench/programs.py

# REV is in the environment, since it is set on the command line: no shell reads what is in it.
bench-compare: all $(BUILD)/tests/bench/cycles
	@BUILD=$(BUILD) tests/bench/compare.py -- "$$REV"

property: all $(property)
	@$(BUILD)/tests/property/model_against_kernel --operations 1000000 --coverage 100
	@for seed in 1 2 3 4 5 6 7 8 9 10; do \
		$(BUILD)/tests/property/generated_traces --seed $$seed --worlds 1000000 || exit; done

soak: all
	@BUILD=$(BUILD) scripts/soak

races: all $(addprefix $(BUILD)/tests/guests/policies/,strangers picker)
	@BUILD=$(BUILD) scripts/races

lint: all
	@scripts/lint

fresh:
	@scripts/fresh

format:
	$(Q)git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0r $(CLANG_FORMAT) -i

install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/portwitness
	$(INSTALL) -m 0755 $(program) $(DESTDIR)$(BINDIR)/portwitness
	$(INSTALL) -m 0644 $(shim) $(DESTDIR)$(LIBDIR)/portwitness/libportwitness.so
	$(INSTALL) -m 0755 $(starter) $(DESTDIR)$(LIBDIR)/portwitness/portwitness-exec
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/portwitness/node
	$(INSTALL) -m 0644 $(node_module) $(DESTDIR)$(LIBDIR)/portwitness/node/frames.cjs
	$(INSTALL) -d $(addprefix $(DESTDIR)$(python_folder)/,portwitness portwitness_pytest.egg-info)
	$(INSTALL) -m 0644 $(plugin) $(DESTDIR)$(python_folder)/portwitness
	$(INSTALL) -m 0644 $(plugin_facts) $(DESTDIR)$(python_folder)/portwitness_pytest.egg-info
	for file in $(integrations); do \
		$(INSTALL) -D -m 0644 integrations/$$file $(DESTDIR)$(DATADIR)/portwitness/$$file || exit; done
	$(INSTALL) -d $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -m 0644 shim/portwitness.h $(DESTDIR)$(INCLUDEDIR)/portwitness.h
	$(INSTALL) -m 0644 $(wildcard docs/man/*.1) $(DESTDIR)$(MANDIR)/man1
	$(INSTALL) -m 0644 $(wildcard docs/man/*.5) $(DESTDIR)$(MANDIR)/man5

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/portwitness $(DESTDIR)$(INCLUDEDIR)/portwitness.h \
		$(addprefix $(DESTDIR)$(MANDIR)/man1/,$(notdir $(wildcard docs/man/*.1))) \
		$(addprefix $(DESTDIR)$(MANDIR)/man5/,$(notdir $(wildcard docs/man/*.5)))
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/portwitness/,libportwitness.so portwitness-exec)
	rm -rf $(DESTDIR)$(DATADIR)/portwitness
	rm -f $(DESTDIR)$(LIBDIR)/portwitness/node/frames.cjs
	[ ! -d $(DESTDIR)$(LIBDIR)/portwitness/node ] || rmdir $(DESTDIR)$(LIBDIR)/portwitness/node
	[ ! -d $(DESTDIR)$(LIBDIR)/portwitness ] || rmdir $(DESTDIR)$(LIBDIR)/portwitness

clean:
	$(call say,CLEAN)
	$(Q)rm -rf build $(BUILD)

.PHONY: again all tests help check-unit test bench bench-compare property soak races lint fresh format \
	install uninstall clean
.DELETE_ON_ERROR:
.SECONDARY:

-include $(ebpf_object:.o=.d) $(harness_objects:.o=.d) $(shim_objects:.o=.d) $(unit_objects:.o=.d) $(property_objects:.o=.d)
-include $(starter_objects:.o=.d)
-include $(addsuffix .d,$(guests) $(static_guests) $(capture_guests) $(benches))
