! SPDX-License-Identifier: MIT
!> The log: columns, heads, silence, averages, closing table.
module test_log
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_cell, only : cell_type, open_cell
   use fennix_atoms, only : atoms_type
   use fennix_settings, only : settings_type
   use fennix_timer, only : timer_accurate, timer_agree, timer_count, timer_exchange, timer_fast, timer_halo, &
      & timer_startup, timer_total, timer_type
   use fennix_observables, only : complete_observables, new_observables, observables_type, set_kinetic, set_kinetic_mid
   use fennix_log, only : level_summary_type, log_averages, log_begin, log_closing, log_due, log_header, log_line, &
      & log_minimize, log_minimize_head, log_start, log_type
   use fennix_log_text, only : duration, fixed
   use report_samples, only : fail_if, cubic, file_text, remove, water, water_sums
   implicit none
   private
   public :: test_log_table, test_log_constant_energy, test_log_quiet, test_log_opening, test_log_closing, &
      & test_log_ranks, test_log_due, test_log_numbers

   character(len=*), parameter :: path = "test_log.txt"
   character(len=1), parameter :: nl = new_line("a")
   !> Widest line of the table
   integer, parameter :: widest = 150

contains


!> A log of so many lines into a file, as a run would write it
subroutine write_log(periodic, langevin, quiet, n_lines, n_ranks)
   logical, intent(in) :: periodic, langevin, quiet
   integer, intent(in) :: n_lines
   !> One unless given
   integer, intent(in), optional :: n_ranks
   type(log_type) :: log
   type(settings_type) :: settings
   type(atoms_type) :: atoms
   type(cell_type) :: cell
   type(observables_type) :: obs
   type(level_summary_type) :: levels(2)
   type(timer_type) :: timer
   integer(i8) :: composition(0:118), rate
   real(dp) :: mass_of(0:118)
   integer :: k

   call remove(path)
   if (present(n_ranks)) log%n_ranks = n_ranks
   call make_run(settings, atoms, cell, levels, periodic, langevin)
   open(newunit=log%unit, file=path, status="replace", action="write")
   log%quiet = quiet
   call timer%start(timer_startup)
   call water_sums(composition, mass_of)
   call new_observables(obs, composition, mass_of, periodic, 9, langevin)
   call set_state(obs, cell, 0)
   call log_header(log, settings, "9.8.7", "Continuing from water.dyn, step 1000")
   if (log%n_ranks > 1) levels(1)%halo = "11 to 13, mean 12 ghosts on a rank"
   call log_start(log, settings, cell, atoms, obs, levels, to_text(log%n_ranks) // " as bricks", &
      & trim(merge("1 to 2 atoms on a rank", "                      ", log%n_ranks > 1)))
   call timer%stop(timer_startup)
   call timer%start(timer_total)
   call log_begin(log, obs, int(n_lines - 1, i8), timer)
   call log_line(log, obs, timer)
   do k = 1, n_lines - 1
      call timer%start(timer_accurate)
      call timer%stop(timer_accurate)
      call timer%start(timer_fast)
      call timer%stop(timer_fast)
      call set_state(obs, cell, k)
      call log_line(log, obs, timer)
   end do
   call timer%stop(timer_total)
   if (log%n_ranks > 1) then
      call system_clock(count_rate=rate)
      call timer%add(timer_total, 1000*rate, 0)
      call timer%add(timer_halo, 20*rate, 7)
      call timer%add(timer_exchange, 50*rate, 8)
      call timer%add(timer_agree, 100*rate, 9)
   end if
   call log_averages(log, obs)
   call log_minimize_head(log)
   call log_minimize(log, 10, -123.5_dp, 0.25_dp, 3.5_dp, 2)
   call log_closing(log, [(timer%seconds(k), k=1, timer_count)], [(timer%calls(k), k=1, timer_count)], &
      & "signal SIGTERM")
   close(log%unit)
end subroutine write_log


!> Settings, system and levels of a run of one water
subroutine make_run(settings, atoms, cell, levels, periodic, langevin)
   type(settings_type), intent(out) :: settings
   type(atoms_type), intent(out) :: atoms
   type(cell_type), intent(out) :: cell
   type(level_summary_type), intent(out) :: levels(2)
   logical, intent(in) :: periodic, langevin
   integer :: k

   atoms = water([0.0_dp, 0.0_dp, 0.0_dp])
   cell = open_cell()
   if (periodic) cell = cubic(18.643_dp)
   settings%structure_file = "water.xyz"
   settings%key_file = "water.key"
   settings%ignored_keywords = "these keywords of Tinker mean nothing here: EWALD, PARAMETERS"
   settings%integrator = "respa"
   if (langevin) settings%integrator = "baoabrespa"
   settings%langevin = langevin
   settings%two_level = .true.
   settings%dt = 0.003_dp
   settings%n_substeps = 3
   settings%n_steps = 1000
   settings%seed = 12345
   settings%heavy_hydrogen = .true.
   do k = 1, 2
      levels(k)%label = "water-model-" // to_text(k)
      levels(k)%cutoff = 6.0_dp/k
      levels(k)%range = 12.0_dp/k
      levels(k)%skin = 0.5_dp
      levels(k)%time_step = 0.003_dp/(2*k - 1)
      levels(k)%n_edges = 123456
      levels(k)%energy = -4.5e6_dp
      levels(k)%largest_force = 17.25_dp
      levels(k)%largest_atom = 1
   end do
end subroutine make_run


!> Observables of step k
subroutine set_state(obs, cell, k)
   type(observables_type), intent(inout) :: obs
   type(cell_type), intent(in) :: cell
   integer, intent(in) :: k

   obs%step = k
   obs%inner_step = 3*k
   obs%time = 0.003_dp*k
   call set_kinetic(obs, [1.7_dp, 0.9_dp])
   if (obs%has_mid) call set_kinetic_mid(obs, [1.8_dp, 0.9_dp])
   call complete_observables(obs, cell, -4.5e6_dp, reshape(spread(1.0_dp, 1, 9), [3, 3]), 0.25_dp)
end subroutine set_state


!> Text between two marks
function between(text, begin, last) result(part)
   character(len=*), intent(in) :: text, begin, last
   character(len=:), allocatable :: part
   integer :: from

   from = index(text, begin)
   part = text(from:from + index(text(from:), last) - 2)
end function between


!> As many numbers as names, all lines equally wide, a head every 50 lines
subroutine test_log_table(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: text, line, table
   integer :: begin, width, n_heads, n_lines

   call write_log(.true., .true., .false., 120)
   text = file_text(path)
   table = between(text, "   MD Step", " Average Values")
   width = index(table, nl) - 1
   call fail_if(width > widest, "the table is " // to_text(width) // " wide", error)
   call fail_if(index(table(:width), "Temp(mid)") == 0 .or. index(table(:width), "ETA") == 0 .or. index(table(:width), &
      & "ns/day") == 0, "columns are missing: " // table(:width), error)
   n_heads = 0
   n_lines = 0
   begin = 1
   do while (begin <= len(table))
      line = table(begin:begin + index(table(begin:) // nl, nl) - 2)
      begin = begin + len(line) + 1
      if (len(line) == 0) cycle
      call fail_if(len(line) /= width, "a line of another width: " // line, error)
      call fail_if(index(line, "*") > 0, "a number that does not fit: " // line, error)
      if (index(line, "MD Step") > 0) then
         n_heads = n_heads + 1
      else
         n_lines = n_lines + 1
      end if
   end do
   call fail_if(n_heads /= 3 .or. n_lines /= 120, to_text(n_heads) // " heads and " // to_text(n_lines) // " lines", &
      & error)
   call fail_if(index(table, "100.0%") == 0, "the last line is not at 100 %", error)
   call remove(path)
end subroutine test_log_table


!> Constant energy, isolated: neither mid-step temperature nor pressure
subroutine test_log_constant_energy(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: text

   call write_log(.false., .false., .false., 3)
   text = file_text(path)
   call fail_if(index(text, "Temp(mid)") > 0 .or. index(text, "mid-step") > 0, "mid-step values shown", error)
   call fail_if(index(text, "Pres") > 0 .or. index(text, "Density") > 0, "pressure or density shown", error)
   call fail_if(index(text, " Molecular Dynamics Trajectory via r-RESPA MTS Algorithm" // nl) == 0, &
      & "the algorithm is not named", error)
   call remove(path)
end subroutine test_log_constant_energy


!> Runs from Python print nothing
subroutine test_log_quiet(error)
   type(error_type), allocatable, intent(out) :: error

   call write_log(.true., .true., .true., 60)
   call fail_if(len(file_text(path)) /= 0, "printed although quiet: " // file_text(path), error)
   call remove(path)
end subroutine test_log_quiet


!> What a reader needs to know about the run stands there
subroutine test_log_opening(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: text
   character(len=64), parameter :: wanted(*) = [character(len=64) :: "Continuing from water.dyn, step 1000", &
      & "pyfennix 9.8.7", "water.xyz", "water.key", "EWALD, PARAMETERS", "water-model-2", "time step 1 fs", &
      & "Langevin Molecular Dynamics Trajectory via BAOAB-RESPA Algorithm", "17.250 kcal/mol/A on atom 1 (O)", &
      & "(H 2, O 1)", "18.643 x 18.643 x 18.643 A", "9 (3N)", "12345", "heavy-hydrogen", "friction 1 /ps", &
      & "3 inner steps of 1 fs", "1000 of 3 fs, 3 ps"]
   integer :: k

   call write_log(.true., .true., .false., 2)
   text = file_text(path)
   call fail_if(index(text, " Continuing from water.dyn") /= 1, "the first line does not say where from", error)
   do k = 1, size(wanted)
      call fail_if(index(text, trim(wanted(k))) == 0, "'" // trim(wanted(k)) // "' is missing in" // nl // text, error)
   end do
   call remove(path)
end subroutine test_log_opening


!> Averages and the closing table
subroutine test_log_closing(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: text
   character(len=64), parameter :: wanted(*) = [character(len=64) :: &
      & " Average Values for the last 9 out of 9 Dynamics Steps", " Total Energy", "(+/-", &
      & " Temperature (mid)", " Pressure", " Density", "accurate model", "fast model", "pair lists", "integration", &
      & "output", "everything else", "start-up, apart", "ns/day; accurate level alone", "Outside the models", &
      & "One accurate evaluation costs", "at best", "stopped at step 9: signal SIGTERM"]
   integer :: k

   call write_log(.true., .true., .false., 10)
   text = file_text(path)
   do k = 1, size(wanted)
      call fail_if(index(text, trim(wanted(k))) == 0, "'" // trim(wanted(k)) // "' is missing in" // nl // text, error)
   end do
   call remove(path)
end subroutine test_log_closing


!> Several ranks: how the system is spread, and what they spend on each other; one rank says nothing of that
subroutine test_log_ranks(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: text, row
   character(len=40), parameter :: wanted(*) = [character(len=40) :: "1 to 2 atoms on a rank", &
      & "11 to 13, mean 12 ghosts on a rank", "halo exchange", "feature exchange", "waiting, agreeing", &
      & "of which communication 17.00 %"]
   integer :: k

   call write_log(.true., .true., .false., 10, 4)
   text = file_text(path)
   do k = 1, size(wanted)
      call fail_if(index(text, trim(wanted(k))) == 0, "'" // trim(wanted(k)) // "' is missing in" // nl // text, error)
   end do
   call fail_if(index(text, "Ranks") == 0 .or. index(text, "4 as bricks") < index(text, "Ranks"), &
      & "the ranks are not named in" // nl // text, error)
   call expect_row("halo exchange", "7", "20.000", "2.0")
   call expect_row("feature exchange", "8", "50.000", "5.0")
   call expect_row("waiting, agreeing", "9", "100.000", "10.0")
   row = between(text, "everything else", nl)
   call fail_if(index(row, " 830.0") == 0, "what ranks spend on each other counts as something else: " // row, error)
   call write_log(.true., .true., .false., 10)
   text = file_text(path)
   do k = 1, size(wanted)
      call fail_if(index(text, trim(wanted(k))) > 0, "'" // trim(wanted(k)) // "' with one rank", error)
   end do
   call fail_if(index(text, "communication") > 0, "communication of one rank", error)
   call fail_if(index(text, "1 as bricks") == 0, "one rank is not named", error)
   call remove(path)

contains

   !> A row of the closing table holds calls, seconds and share
   subroutine expect_row(label, calls, seconds, share)
      character(len=*), intent(in) :: label, calls, seconds, share

      row = between(text, label, nl)
      call fail_if(index(row, " " // calls // " ") == 0 .or. index(row, " " // seconds) == 0 .or. index(row, &
         & " " // share) == 0, "'" // row // "' without " // calls // ", " // seconds // ", " // share, error)
   end subroutine expect_row

end subroutine test_log_ranks


!> Lines are due at multiples, at the end, and at every step when verbose
subroutine test_log_due(error)
   type(error_type), allocatable, intent(out) :: error
   type(log_type) :: log
   type(observables_type) :: obs
   type(timer_type) :: timer

   log%every = 10
   call log_begin(log, obs, 25_i8, timer)
   call fail_if(.not. log_due(log, 10_i8) .or. log_due(log, 11_i8) .or. .not. log_due(log, 25_i8), &
      & "every 10 steps up to 25", error)
   log%every = 1
   call fail_if(.not. log_due(log, 11_i8), "every step", error)
end subroutine test_log_due


!> Widths hold whatever the number, and durations read well
subroutine test_log_numbers(error)
   type(error_type), allocatable, intent(out) :: error

   call fail_if(fixed(-1234.56789_dp, 12, 4) /= "  -1234.5679", "plain: " // fixed(-1234.56789_dp, 12, 4), error)
   call fail_if(fixed(-12345678.9_dp, 12, 4) /= "-12345678.90", "long: " // fixed(-12345678.9_dp, 12, 4), error)
   call fail_if(scan(fixed(-1.25e30_dp, 12, 4), "E") == 0, "huge: " // fixed(-1.25e30_dp, 12, 4), error)
   call fail_if(duration(0.4_dp) // " " // duration(185.0_dp) // " " // duration(7630.0_dp) // " " &
      & // duration(442000.0_dp) // " " // duration(1.0e300_dp) /= "0s 3m05s 2h07m 5d02h -", "durations", error)
end subroutine test_log_numbers

end module test_log
