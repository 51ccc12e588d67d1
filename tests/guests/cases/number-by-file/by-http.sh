# The server asks a port server for its number.
# shellcheck disable=SC1091 # it is beside this one
. ./busy.sh
mkfifo hold up go has
exec 3<>hold 4<>up 5<>go 6<>has
python3 tool.py portserver <&3 >&4 &
portserver=$!
read -r _ <&4
python3 tool.py http <&5 >&6 &
server=$!
read -r number <&6
echo "$number" >setup.json
take setup.json
echo >&5
wait $server
status=$?
echo >&3
wait $portserver
end $status
