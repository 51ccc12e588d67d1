# The number stands in the server's arguments.
# shellcheck disable=SC1091 # it is beside this one
. ./busy.sh
python3 tool.py pick >setup.json
take setup.json
python3 tool.py words "$(tr -dc 0-9 <setup.json)"
end $?
