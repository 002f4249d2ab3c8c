#!/usr/bin/env bash
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Real hosts on one machine: systemd-nspawn over overlayfs, each with its own systemd, sshd, firewall, network namespace and address,
# and bare network namespaces as traffic sources.  All on one bridge, a flat network 10.86.0.0/16 and fd86::/48 without routing,
# so "a source network" is just a prefix.  Nothing outside these addresses is reached; the machine's own firewall is not touched.  Root.
#   host.sh net-up                          the bridge, with the controller's addresses 10.86.0.1 and fd86::1
#   host.sh up NAME IMAGE IP4 IP6 [OPT...]  boot a host and wait for its sshd.  IMAGE = base | firewalld | ufw | iptables (build-images.sh);
#                                           OPT = systemd-nspawn options, e.g. --bind-ro=/path; they hold for later boots too
#   host.sh reboot NAME                     systemctl reboot inside: new network namespace, same disk
#   host.sh down NAME | wipe NAME           clean poweroff, disk kept | and disk back to the image
#   host.sh peer NAME IP4 IP6               a traffic source
#   host.sh exec NAME CMD...                run as root in a host (past its network: the console when ssh is shut) or in a peer
#   host.sh pid NAME                        the host's PID 1 as the machine sees it
#   host.sh list | inventory                what is up | the same as an Ansible inventory (user ops, sudo, key, pinned host keys)
#   host.sh all-down | leftovers            end everything that was made here | list what is still there (exit 1 if anything)
set -euo pipefail
: "${HOSTS_DIR:?}"
IMG=$HOSTS_DIR/images H=$HOSTS_DIR/hosts PEERS=$HOSTS_DIR/peers KEYS=$HOSTS_DIR/keys BR=dagops0 PRE=dagops
CGROUPS=(/sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd)     # cgroup2 alone; or hybrid: cgroup2 and systemd's own v1 tree
mkdir -p "$H" "$PEERS" "$KEYS"
die(){ echo "$*" >&2; exit 1; }

net_up(){
  exec 8>"$KEYS/.lock-net"; flock 8
  if ! ip link show $BR >/dev/null 2>&1; then
    ip link add $BR type bridge; ip link set $BR up
    sysctl -qw net.ipv6.conf.$BR.accept_dad=0 || true
    ip addr add 10.86.0.1/16 dev $BR; ip -6 addr add fd86::1/48 dev $BR nodad
  fi
  exec 8>&-
}

# --- a host's disk: image below, own layer above
mount_disk(){ # NAME
  local d=$H/$1 i low; i=$(cat "$d/image")
  if [ -d "$IMG/$i" ]; then low=$IMG/$i; elif [ -d "$IMG/layer-$i" ]; then low=$IMG/layer-$i:$IMG/base; else die "no image $i: run build-images.sh"; fi
  mkdir -p "$d"/{upper,overlay,disk}
  mountpoint -q "$d/disk" || mount -t overlay "$PRE-$1" -o "lowerdir=$low,upperdir=$d/upper,workdir=$d/overlay" "$d/disk"
}
identity(){ # NAME: name, address, ssh keys
  local n=$1 d=$H/$1 r=$H/$1/disk k
  printf 'IP4=%s\nIP6=%s\n' "$(cat "$d/ip4")" "$(cat "$d/ip6")" > "$r/etc/host-address"
  echo "$n" > "$r/etc/hostname"
  printf '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s\n' "$n" > "$r/etc/hosts"
  k=$r/etc/ssh/ssh_host_ed25519_key
  [ -f "$k" ] || ssh-keygen -q -t ed25519 -N '' -C "$n" -f "$k"
  exec 9>"$KEYS/.lock"; flock 9        # hosts come up side by side: one of them makes the key, one at a time writes known_hosts
  [ -f "$KEYS/id" ] || ssh-keygen -q -t ed25519 -N '' -C test-hosts -f "$KEYS/id"
  touch "$KEYS/known_hosts"; sed -i "/^$(cat "$d/ip4") /d" "$KEYS/known_hosts"
  echo "$(cat "$d/ip4") $(cut -d' ' -f1,2 "$k.pub")" >> "$KEYS/known_hosts"
  exec 9>&-
  install -m 600 "$KEYS/id.pub" "$r/home/ops/.ssh/authorized_keys"
  chroot "$r" chown ops:ops /home/ops/.ssh/authorized_keys
}

# --- a host's life
supervise(){ # NAME: runs until the host is powered off; starts it again when it reboots
  local n=$1 d=$H/$1 c opts=() pid rc stop=
  # A control group of its own: without it all hosts share the caller's, and a unit's stop in one host can kill processes of another.
  for c in "${CGROUPS[@]}"; do
    [ -f "$c/cgroup.procs" ] || continue
    mkdir -p "$c/$PRE-$n"; echo $$ > "$c/$PRE-$n/cgroup.procs"
  done
  mapfile -t opts < "$d/options"
  trap 'stop=1; kill -TERM $pid 2>/dev/null' TERM          # nspawn turns it into a clean poweroff of the host
  while :; do
    # --keep-unit --register=no: the machine needs no systemd.  --network-bridge, not --network-namespace-path: with the latter the host
    # has no CAP_NET_ADMIN and a read-only /proc/sys/net.  The MAC comes from the machine name, so it is the same after each boot;
    # with a new one the neighbours' stale entries make an open port look shut for 20-30 s.
    systemd-nspawn -q -b -D "$d/disk" --machine="$PRE-$n" --register=no --keep-unit --network-bridge=$BR \
      --resolv-conf=off --timezone=off --link-journal=no --console=pipe "${opts[@]}" & pid=$!
    while :; do rc=0; wait $pid || rc=$?; kill -0 $pid 2>/dev/null || break; done
    [ $rc = 133 ] && [ -z "$stop" ] || exit $rc            # 133: the host asked for a reboot
  done
}
up(){ # NAME IMAGE IP4 IP6 [OPT...]
  local n=$1 d=$H/$1
  net_up
  if leader "$n" >/dev/null 2>&1; then die "host $n is up already"; fi
  mkdir -p "$d"; echo "$2" > "$d/image"; echo "$3" > "$d/ip4"; echo "$4" > "$d/ip6"; shift 4
  : > "$d/options"; [ $# = 0 ] || printf '%s\n' "$@" > "$d/options"
  mount_disk "$n"; identity "$n"
  setsid "$0" supervise "$n" </dev/null >>"$d/console.log" 2>&1 & echo $! > "$d/supervisor"; disown
  wait_ssh "$n"
}
wait_ssh(){ # NAME: until sshd has sent its banner
  local n=$1 d=$H/$1 end=$((SECONDS+180))
  while [ $SECONDS -lt $end ]; do
    timeout 1 bash -c "exec 3<>/dev/tcp/$(cat "$d/ip4")/22 && read -t 1 l <&3 && [[ \$l == SSH-* ]]" 2>/dev/null && return 0
    kill -0 "$(cat "$d/supervisor")" 2>/dev/null || { tail -5 "$d/console.log" >&2; die "host $n ended"; }
    sleep 0.05
  done
  tail -5 "$d/console.log" >&2; die "no sshd banner from $n after 180 s (host.sh exec $n systemctl --failed)"
}
leader(){ # NAME: PID 1 of the host
  local p
  if p=$(pgrep -P "$(cat "$H/$1/supervisor" 2>/dev/null || echo 0)" -x systemd-nspawn) && pgrep -P "$p" -x systemd; then return; fi
  echo "host $1 is not up" >&2; return 3
}
reboot(){ # NAME
  local old i; old=$(leader "$1")
  nsenter -t "$old" -a systemctl reboot 2>/dev/null || true       # it may be cut off before it hears the answer
  for i in $(seq 2400); do kill -0 "$old" 2>/dev/null || break; sleep 0.05; done
  ! kill -0 "$old" 2>/dev/null || die "host $1 did not go down"
  wait_ssh "$1"
}
down(){ # NAME
  local n=$1 d=$H/$1 p i c
  if p=$(cat "$d/supervisor" 2>/dev/null) && kill -0 "$p" 2>/dev/null; then
    kill -TERM "$p"
    for i in $(seq 1200); do kill -0 "$p" 2>/dev/null || break; sleep 0.05; done
    if kill -0 "$p" 2>/dev/null; then pgrep -P "$p" | xargs -r kill -KILL "$p" "$(leader "$n")" 2>/dev/null || true; sleep 0.5; fi
  fi
  rm -f "$d/supervisor"
  for i in $(seq 100); do mountpoint -q "$d/disk" || break; umount "$d/disk" 2>/dev/null && break; sleep 0.2; done
  for c in "${CGROUPS[@]}"; do
    [ ! -d "$c/$PRE-$n" ] || find "$c/$PRE-$n" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
}
wipe(){ down "$1"; ! mountpoint -q "$H/$1/disk" || die "disk of $1 is still mounted"; rm -rf "${H:?}/$1"; }

peer(){ # NAME IP4 IP6
  local n=$1
  net_up
  ip netns add "$PRE-$n"; : > "$PEERS/$n"
  ip link add "dp-$n" type veth peer name eth0 netns "$PRE-$n"; ip link set "dp-$n" master $BR up
  ip -n "$PRE-$n" link set lo up; ip -n "$PRE-$n" link set eth0 up
  ip -n "$PRE-$n" addr add "$2/16" dev eth0; ip -n "$PRE-$n" -6 addr add "$3/48" dev eth0 nodad
}
run(){ # NAME CMD...   (a clean environment: the caller's PATH, proxies and Python settings are not the host's)
  local n=$1; shift
  if [ -e "$PEERS/$n" ]; then exec ip netns exec "$PRE-$n" "$@"; fi
  local p; p=$(leader "$n")
  exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C.UTF-8 TERM="${TERM:-dumb}" nsenter -t "$p" -a -- "$@"
}
names(){ local d; for d in "$H"/*/; do [ -f "$d/supervisor" ] && basename "$d"; done; true; }
list(){ local n
  for n in $(names); do echo "$n $(cat "$H/$n/image") $(cat "$H/$n/ip4") $(cat "$H/$n/ip6") pid $(leader "$n" 2>/dev/null || echo -)"; done
  for n in "$PEERS"/*; do [ ! -e "$n" ] || echo "$(basename "$n") peer"; done
}
inventory(){ local n
  echo '[hosts]'
  for n in $(names); do echo "$n ansible_host=$(cat "$H/$n/ip4") ip6=$(cat "$H/$n/ip6")"; done
  cat <<I
[hosts:vars]
ansible_user=ops
ansible_become=true
ansible_python_interpreter=/usr/bin/python3
ansible_ssh_private_key_file=$KEYS/id
ansible_ssh_common_args=-o UserKnownHostsFile=$KEYS/known_hosts -o StrictHostKeyChecking=yes
I
}
all_down(){ local d n
  for d in "$H"/*/; do [ ! -d "$d" ] || down "$(basename "$d")" & done; wait
  for n in "$PEERS"/*; do          # only those that were made here
    [ -e "$n" ] || continue
    n=$(basename "$n")
    ip link del "dp-$n" 2>/dev/null || true; ip netns del "$PRE-$n" 2>/dev/null || true; rm -f "$PEERS/$n"
  done
  # The kernel takes a moment to remove a host's end of the wire.  A bridge still in use is another HOSTS_DIR's.
  for n in $(seq 600); do [ -n "$(ls /sys/class/net/$BR/brif 2>/dev/null)" ] || break; sleep 0.05; done
  [ -n "$(ls /sys/class/net/$BR/brif 2>/dev/null)" ] || ip link del $BR 2>/dev/null || true
}
leftovers(){ local c out
  out=$(ip -o link show 2>/dev/null | grep -oE "\b($BR|dp-[^:@ ]*|vb-${PRE}[^:@ ]*)" | sed 's/^/link /'
        ip netns list | grep "^$PRE-" | sed 's/^/namespace /'
        grep -o "^$PRE-[^ ]* [^ ]*" /proc/mounts | sed 's/^/mount /'
        for c in "${CGROUPS[@]}"; do find "$c" -maxdepth 1 -name "$PRE-*" 2>/dev/null | sed 's/^/cgroup /'; done
        pgrep -af "machine=$PRE-|host.sh supervise" | sed 's/^/process /') || true
  [ -z "$out" ] || { echo "$out"; return 1; }
}

c=${1:-}; [ $# = 0 ] || shift
case $c in
  net-up) net_up;;      up) up "$@";;            reboot) reboot "$@";;   down) down "$@";;       wipe) wipe "$@";;  peer) peer "$@";;
  exec) run "$@";;      pid) leader "$1";;       list) list;;            inventory) inventory;;
  all-down) all_down;;  leftovers) leftovers;;   supervise) supervise "$@";;
  *) sed -n '6,/^set/{/^#/s/^# \?//p}' "$0"; exit 2;;
esac
