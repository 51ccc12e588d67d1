# The number comes to the server by a file.
# shellcheck disable=SC1091 # it is beside this one
. ./busy.sh
python3 tool.py pick >setup.json
take setup.json
python3 tool.py file setup.json
end $?
