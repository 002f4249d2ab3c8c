#!/usr/bin/env bash
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# build-images.sh: the disk images of the test hosts, as plain directories under $HOSTS_DIR/images. Root, Debian.
#   base                          this machine's Debian release: systemd, D-Bus, sshd, python3, sudo, nftables (unit disabled, as on a stock server)
#   layer-firewalld|ufw|iptables  overlayfs upper directories: what that firewall's packages add to base
#                                 (ufw Breaks iptables-persistent, so one image with every firewall is impossible)
# Installs the programs that it needs, if they are missing. What exists is kept; remove it to have it built anew.
set -euo pipefail
: "${HOSTS_DIR:?}"
IMG=$HOSTS_DIR/images
export DEBIAN_FRONTEND=noninteractive
mkdir -p "$IMG"
say(){ printf '%4d s  %s\n' $SECONDS "$*"; }

# The machine's own Debian package sources, whichever way they are written down (deb822 or one line each).
# shellcheck disable=SC2016  # $(REPO_URI) and the others are apt's own
sources(){ apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | grep ' main$' | sort -u; }

tools(){
  local need=() c
  for c in mmdebstrap:mmdebstrap systemd-nspawn:systemd-container ip:iproute2 ssh-keygen:openssh-client pgrep:procps; do
    command -v "${c%%:*}" >/dev/null || need+=("${c##*:}")
  done
  [ ${#need[@]} -gt 0 ] || [ -z "$(sources)" ] || return 0
  apt-get -qq update || { sleep 10; apt-get -qq update; } # its lists may have another user
  [ ${#need[@]} = 0 ] || apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${need[@]}" >/dev/null 2>&1
  say "tools installed: ${need[*]:-none}"
}

# What every image gets besides its packages.  $1 = root of the image.
customize=$(cat <<'HOOK'
set -e; r=$1
systemctl --root="$r" -q disable nftables 2>/dev/null || true
systemctl --root="$r" -q mask systemd-resolved systemd-networkd systemd-timesyncd apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
  e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target console-getty.service 2>/dev/null || true
systemctl --root="$r" -q enable ssh
rm -f "$r"/etc/ssh/ssh_host_* "$r/etc/resolv.conf"; : > "$r/etc/machine-id"
# Ansible's user; the key is put in when a host is made
chroot "$r" useradd -m -s /bin/bash ops
echo 'ops ALL=(ALL) NOPASSWD:ALL' > "$r/etc/sudoers.d/ops"; chmod 440 "$r/etc/sudoers.d/ops"
chroot "$r" install -d -m 700 -o ops -g ops /home/ops/.ssh
# The address, without networkd.  nodad: else the IPv6 address is unusable in the first second, and a firewall gets the blame.
cat > "$r/etc/systemd/system/host-address.service" <<'U'
[Unit]
Description=Address of the test host
DefaultDependencies=no
After=local-fs.target network-pre.target
Before=network.target ssh.service
Wants=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
EnvironmentFile=/etc/host-address
ExecStart=/bin/sh -c 'ip link set lo up; ip link set host0 up; ip addr replace $IP4/16 dev host0; ip -6 addr replace $IP6/48 dev host0 nodad; ip route replace default via 10.86.0.1'
[Install]
WantedBy=multi-user.target
U
systemctl --root="$r" -q enable host-address
HOOK
)

# netbase: without /etc/protocols nft fails on ipv6-icmp, and firewalld starts, says so, and then ends.
PACKAGES=systemd,systemd-sysv,dbus,openssh-server,python3,python3-apt,iproute2,iputils-ping,procps,curl,sudo,ca-certificates,netbase,nftables,python3-requests
image(){ # NAME RELEASE SOURCES
  [ ! -d "$IMG/$1" ] || return 0
  local hook=$IMG/.customize; printf '%s\n' "$customize" > "$hook"
  rm -rf "$IMG/.new-$1"
  printf '%s\n' "$3" | mmdebstrap --quiet --variant=minbase --mode=root \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --include="$PACKAGES" --customize-hook="sh $hook \"\$1\"" "$2" "$IMG/.new-$1" -
  mv "$IMG/.new-$1" "$IMG/$1"    # a name without a leading dot is a finished image
  say "$1: $(du -sh "$IMG/$1" | cut -f1)"
}
layer(){ # NAME PACKAGE...
  local n=$1 up=$IMG/.new-layer-$1 work=$IMG/.work-$1 m=$IMG/.mount-$1; shift
  [ ! -d "$IMG/layer-$n" ] || return 0
  rm -rf "$up" "$work"; mkdir -p "$up" "$work/overlay" "$m"
  mount -t overlay overlay -o "lowerdir=$IMG/base,upperdir=$up,workdir=$work/overlay" "$m"
  # shellcheck disable=SC2064  # the place as it is now
  trap "umount -R '$m' 2>/dev/null || true" EXIT
  mount --bind /dev "$m/dev"; mount -t proc proc "$m/proc"
  cp "$m/etc/hosts" "$work/hosts" 2>/dev/null || : > "$work/hosts"
  cp -L /etc/resolv.conf "$m/etc/resolv.conf"; cp /etc/hosts "$m/etc/hosts"             # the mirror's name may be in either
  printf '#!/bin/sh\nexit 101\n' > "$m/usr/sbin/policy-rc.d"; chmod +x "$m/usr/sbin/policy-rc.d"   # start nothing while installing
  { chroot "$m" apt-get -qq update && chroot "$m" apt-get -qq install -y "$@" && chroot "$m" apt-get clean; } > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  # ufw.service stays enabled, as Debian has it (ENABLED=no in its own file); the others are for the test to switch on
  systemctl --root="$m" -q disable firewalld netfilter-persistent nftables 2>/dev/null || true
  cp "$work/hosts" "$m/etc/hosts"
  rm -rf "$m"/var/lib/apt/lists/* "$m/usr/sbin/policy-rc.d" "$m/etc/resolv.conf"
  umount -R "$m"; trap - EXIT; rm -rf "$m" "$work"
  mv "$up" "$IMG/layer-$n"
  say "layer-$n: $(du -sh "$IMG/layer-$n" | cut -f1)"
}

[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 2; }
tools
own=$(sources | awk '$3 !~ /-/ {print $3; exit}')
[ -n "$own" ] || { echo "these hosts are made of Debian's packages, and this machine has no Debian package source" >&2; exit 2; }
image base "$own" "$(sources)"
layer firewalld firewalld python3-firewall
layer ufw ufw
layer iptables iptables iptables-persistent netfilter-persistent
rm -f "$IMG/.customize"
