// The few icons, drawn on 20 by 20; each stands beside words, so none is announced.
const PATHS = {
  home: 'M3 9.500 10 4l7 5.500V16a1 1 0 0 1-1 1h-4v-5H8v5H4a1 1 0 0 1-1-1z',
  profile: 'M4 4h12v12H4zM7 8h6M7 12h4',
  person: 'M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c0-3 2.700-5 6-5s6 2 6 5',
  chart: 'M4 17V9M10 17V4M16 17v-6',
  key: 'M7.500 15.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM10 9.500 16.500 3M14 5.500l2 2',
  eye: 'M2 10s3-5.500 8-5.500 8 5.500 8 5.500-3 5.500-8 5.500S2 10 2 10zM10 12.200a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400z',
  box: 'M3 6.500 10 3l7 3.500v7L10 17l-7-3.500zM3 6.500l7 3.500 7-3.500M10 10v7',
  people: 'M7.500 9.500a2.700 2.700 0 1 0 0-5.400 2.700 2.700 0 0 0 0 5.400zM2.500 16c0-2.700 2.200-4.300 5-4.300s5 1.600 5 4.300M13 4.500a2.500 2.500 0 0 1 0 4.800M14.500 12c1.800.500 3 1.900 3 4',
  list: 'M7 5h10M7 10h10M7 15h10M3.500 5h.01M3.500 10h.01M3.500 15h.01',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  check: 'm4 10.500 4 4 8-9',
  menu: 'M3 5.500h14M3 10h14M3 14.500h14',
  plus: 'M10 4v12M4 10h12',
  close: 'm5 5 10 10M15 5 5 15',
  out: 'M8 4H4v12h4M12 6.500l3.500 3.500-3.500 3.500M15 10H7.500',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
