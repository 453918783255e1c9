#!/bin/sh
# Has a transmission-daemon of its own fetch a torrent until it is asked to leave.
# usage: transmission-leecher.sh TORRENT DIR PORT, with a home directory of its own
set -u
torrent=$1 dir=$2 port=$3
cd || exit 1
# The control interface has the same port at another address, so that nothing else can have taken it.
control=127.0.0.2:$port
mkdir -p configuration
cat > configuration/settings.json <<SETTINGS
{ "bind-address-ipv4": "127.0.0.1", "bind-address-ipv6": "::1", "peer-port": $port, "peer-port-random-on-start": false,
  "port-forwarding-enabled": false, "rpc-bind-address": "127.0.0.2", "rpc-port": $port, "rpc-authentication-required": false,
  "rpc-whitelist-enabled": false, "dht-enabled": false, "lpd-enabled": false, "pex-enabled": false, "utp-enabled": false,
  "encryption": 0, "download-dir": "$dir", "incomplete-dir-enabled": false, "ratio-limit-enabled": false,
  "idle-seeding-limit-enabled": false, "blocklist-enabled": false }
SETTINGS
transmission-daemon --foreground --config-dir configuration &
daemon=$!
until transmission-remote "$control" --download-dir "$dir" --add "$torrent"; do
    kill -0 $daemon || exit 1
    sleep 0.2
done
# The signal that asks this script to leave reaches the daemon as well.
trap 'wait $daemon; exit 0' INT TERM
wait $daemon
